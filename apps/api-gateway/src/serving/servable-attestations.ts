import { VerifyAttestation, type AttestationView, type VerifyAttestationReply } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import { withdrawnReads } from '@packs/observability';
import type { AttestationReadModel, Clock, CommandBus, ServableAttestation, ServableVersion, Viewpoint } from '@packs/ports';
import type { ServableVersions } from './servable-versions';
import { VerdictCache } from './verdict-cache';

/** The only way to an attestation: its version is servable, and its own signature is still good under the owner's current keys. */
export class ServableAttestations {
  private readonly verdicts = new VerdictCache<VerifyAttestationReply>();

  constructor(
    private readonly versions: ServableVersions,
    private readonly attestations: AttestationReadModel,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** Those of a version that are good now. @throws DomainError as `ServableVersions.find` does */
  async list(at: Viewpoint, packId: string, version: string): Promise<AttestationView[]> {
    const found = await this.versions.find(at, packId, version);
    const all = await this.attestations.list(at, packId, version);
    const refusals = await Promise.all(all.map(attestation => this.refusalOf(found, attestation)));
    return all.filter((_, index) => !refusals[index]).map(({ view }) => view);
  }

  /** @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_WITHDRAWN with the reasons, ERR_PACK_UNAVAILABLE when no verifier answers */
  async find(at: Viewpoint, packId: string, version: string, digest: Digest): Promise<ServableAttestation> {
    const found = await this.versions.find(at, packId, version);
    const attestation = (await this.attestations.list(at, packId, version)).find(({ view }) => view.digest === digest);
    if (!attestation) throw new DomainError('ERR_PACK_NOT_FOUND', `no attestation ${digest} of ${packId} ${version}`);
    const refusal = await this.refusalOf(found, attestation);
    if (!refusal) return attestation;
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
