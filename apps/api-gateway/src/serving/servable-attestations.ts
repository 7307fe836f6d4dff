import {
  VerifyAttestation,
  type AttestationHistory,
  type AttestationStateView,
  type AttestationView,
  type VerifyAttestationReply,
} from '@packs/contracts';
import { DomainError, firstFailure, type AttestationState, type Digest } from '@packs/domain';
import { withdrawnReads } from '@packs/observability';
import type { AttestationReadModel, Clock, CommandBus, ServableAttestation, ServableVersion, StoredBlob, Viewpoint } from '@packs/ports';
import type { ServableVersions } from './servable-versions';
import { VerdictCache } from './verdict-cache';

/** An attestation with what it has counted for; without its document where nobody who is trusted now has signed it. */
export interface AttestationEvidence {
  readonly view: AttestationView;
  readonly history: readonly AttestationStateView[];
  readonly document: StoredBlob | null;
}

/** The only way to an attestation: its version is servable, and its own signature is still good under the owner's current keys. */
export class ServableAttestations {
  private readonly verdicts = new VerdictCache<VerifyAttestationReply>();

  constructor(
    private readonly versions: ServableVersions,
    private readonly attestations: AttestationReadModel,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** Those of a version in one state, or in any, as they are under the trust of now. @throws DomainError as `ServableVersions.find` does */
  async list(at: Viewpoint, packId: string, version: string, state: AttestationState | 'all' = 'verified'): Promise<AttestationView[]> {
    const found = await this.versions.find(at, packId, version);
    const recorded = await this.attestations.list(at, packId, version);
    const now = await Promise.all(recorded.map(async attestation => (await this.standing(found, attestation)).view));
    const waiting = state === 'all' || state === 'provisional' ? await this.attestations.provisional(at, packId, version) : [];
    return [...now, ...waiting].filter(view => state === 'all' || view.state === state);
  }

  /** The verified ones of a version, each with its document. @throws DomainError as `ServableVersions.find` does */
  async verified(at: Viewpoint, packId: string, version: string): Promise<{ version: ServableVersion; verified: ServableAttestation[] }> {
    const found = await this.versions.find(at, packId, version);
    const recorded = await this.attestations.list(at, packId, version);
    const now = await Promise.all(recorded.map(attestation => this.standing(found, attestation)));
    return { version: found, verified: now.filter(({ view }) => view.state === 'verified') };
  }

  /**
   * Everything that is attested about a version, with its history. The documents of those that are provisional now are left out.
   * @throws DomainError as `ServableVersions.find` does
   */
  async evidence(
    at: Viewpoint,
    packId: string,
    version: string,
  ): Promise<{ version: ServableVersion; attestations: AttestationEvidence[] }> {
    const found = await this.versions.find(at, packId, version);
    const attestations: AttestationEvidence[] = [];
    for (const attestation of await this.attestations.list(at, packId, version)) {
      const refusal = await this.refusalOf(found, attestation);
      const view = viewOf(attestation, refusal);
      const history = await this.attestations.history(at, packId, version, view.digest as Digest);
      attestations.push({ view, history, document: refusal ? null : attestation.document });
    }
    for (const view of await this.attestations.provisional(at, packId, version)) {
      attestations.push({ view, history: await this.attestations.history(at, packId, version, view.digest as Digest), document: null });
    }
    return { version: found, attestations };
  }

  /** What it counts for now, and what it has counted for. @throws DomainError ERR_PACK_NOT_FOUND and as `ServableVersions.find` does */
  async history(at: Viewpoint, packId: string, version: string, digest: Digest): Promise<AttestationHistory> {
    const view = (await this.list(at, packId, version, 'all')).find(one => one.digest === digest);
    if (!view) throw noSuch(packId, version, digest);
    return { digest, state: view.state, history: await this.attestations.history(at, packId, version, digest) };
  }

  /** @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_WITHDRAWN with the reasons, ERR_PACK_UNAVAILABLE when no verifier answers */
  async find(at: Viewpoint, packId: string, version: string, digest: Digest): Promise<ServableAttestation> {
    const found = await this.versions.find(at, packId, version);
    const attestation = (await this.attestations.list(at, packId, version)).find(({ view }) => view.digest === digest);
    if (!attestation) {
      const waiting = (await this.attestations.provisional(at, packId, version)).find(view => view.digest === digest);
      if (!waiting) throw noSuch(packId, version, digest);
      withdrawnReads.inc();
      throw new DomainError('ERR_PACK_WITHDRAWN', 'the attestation is provisional: nobody who is trusted has signed it', {
        details: { reasons: [waiting.stateReason], trustEpoch: found.trust.epoch },
      });
    }
    const refusal = await this.refusalOf(found, attestation);
    if (!refusal) return { ...attestation, view: viewOf(attestation, undefined) };
    withdrawnReads.inc();
    const { checks } = refusal.verdict;
    throw new DomainError('ERR_PACK_WITHDRAWN', `the attestation is withdrawn: its signatures no longer satisfy its policy`, {
      details: {
        reasons: [...new Set(checks.filter(check => check.outcome === 'fail').map(check => check.reason))],
        trustEpoch: found.trust.epoch,
      },
      errors: refusal.faults,
    });
  }

  private async standing(version: ServableVersion, attestation: ServableAttestation): Promise<ServableAttestation> {
    return { ...attestation, view: viewOf(attestation, await this.refusalOf(version, attestation)) };
  }

  private async refusalOf(version: ServableVersion, attestation: ServableAttestation): Promise<VerifyAttestationReply | undefined> {
    const { view, trust } = version;
    if (trust.epoch === attestation.verifiedEpoch) return undefined;
    const key = `${view.tenant}/${view.packId}/${view.manifestDigest}/${attestation.view.digest}@${trust.epoch}`;
    const reply = await this.verdicts.of(key, () => this.ask(version, attestation));
    return reply.verdict.outcome === 'accepted' ? undefined : reply;
  }

  private ask({ view, type, channel, trust }: ServableVersion, { document, view: { mediaType }, verdictPolicy }: ServableAttestation) {
    return this.commands.send(VerifyAttestation, {
      tenant: view.tenant,
      channel,
      packType: type,
      attestation: { digest: document.digest, size: document.size, objectKey: document.objectKey, mediaType },
      subject: { bundle: view.digest as Digest, manifest: view.manifestDigest as Digest },
      // The policy that accepted it: a later policy speaks of what is added later.
      policies: verdictPolicy ? [verdictPolicy] : [],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: this.clock.now().toISOString(),
    });
  }
}

/** What is contested stays so; of all others the verdict of now decides, whatever was recorded last. */
function viewOf({ view }: ServableAttestation, refusal: VerifyAttestationReply | undefined): AttestationView {
  if (view.state === 'contested') return view;
  return refusal
    ? { ...view, state: 'provisional', stateReason: firstFailure(refusal.verdict) }
    : { ...view, state: 'verified', stateReason: null };
}

function noSuch(packId: string, version: string, digest: Digest): DomainError {
  return new DomainError('ERR_PACK_NOT_FOUND', `no attestation ${digest} of ${packId} ${version}`);
}
