import {
  judgedAttestations,
  ReverifyVersion,
  VerifyAttestation,
  VerifyBundle,
  type ImportKitRequest,
  type KitVersion,
  type ReverifyVersionReply,
  type VerifyAttestationReply,
  type VerifyBundleReply,
} from '@packs/contracts';
import { DomainError, type FieldFault, type PackManifest } from '@packs/domain';
import type { Clock, CommandBus, TrustState } from '@packs/ports';
import type { KitContents } from './kit-contents';

/** Questions the verifier is asked at a time. */
const WIDTH = 8;
/** Faults that an answer names; it has to fit into a message. */
const FAULTS_MAX = 50;

type Attestation = KitVersion['attestations'][number];

/** One version of the kit with everything that was concluded about it here. */
export interface JudgedVersion {
  readonly version: KitVersion;
  readonly manifest: PackManifest;
  /** Absent for a version that is there already. */
  readonly verified?: Pick<VerifyBundleReply, 'verdict' | 'verdictHash'>;
  /** By each further channel it was let into, by that channel's own policy. */
  readonly promotions: readonly { readonly channel: string; readonly verified: ReverifyVersionReply }[];
  readonly attestations: readonly { readonly attestation: Attestation; readonly verified: VerifyAttestationReply }[];
}

/** What of a version the registry does not have yet. */
export interface MissingParts {
  readonly version: KitVersion;
  readonly isNew: boolean;
  readonly channels: readonly string[];
  readonly attestations: readonly Attestation[];
}

type Refusal = FieldFault & { readonly code: string };

/**
 * Judges everything a kit brings as if it was published, promoted and attested here, under the keys and policies of this tenant. What the exporting
 * registry concluded counts for nothing.
 */
export class JudgeKit {
  constructor(
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_VERDICT_REJECTED naming the versions, ERR_KIT_INDEX */
  async execute(
    { tenant }: ImportKitRequest,
    contents: KitContents,
    missing: readonly MissingParts[],
    trust: TrustState,
  ): Promise<JudgedVersion[]> {
    const judged: JudgedVersion[] = [];
    const refusals: Refusal[] = [];
    const bench = {
      tenant,
      contents,
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
    };
    for (let at = 0; at < missing.length; at += WIDTH) {
      const page = await Promise.all(missing.slice(at, at + WIDTH).map(parts => this.judge(bench, parts, refusals)));
      judged.push(...page);
    }
    if (refusals.length === 0) return judged;
    throw new DomainError('ERR_PACK_VERDICT_REJECTED', `${refusals.length} parts of the kit do not satisfy this tenant's policies`, {
      errors: refusals.slice(0, FAULTS_MAX),
    });
  }

  private async judge(bench: Bench, parts: MissingParts, refusals: Refusal[]): Promise<JudgedVersion> {
    const { version } = parts;
    const name = `${version.packId}@${version.version}`;
    const verified = parts.isNew ? await this.verifyBundle(bench, version) : undefined;
    if (verified?.verdict.outcome === 'rejected') refuse(refusals, name, verified.faults);
    const promotions = [];
    for (const channel of parts.channels) {
      const reply = await this.verifyFor(bench, version, channel);
      if (reply.verdict.outcome === 'rejected') refuse(refusals, `${name} in ${channel}`, reply.faults);
      promotions.push({ channel, verified: reply });
    }
    const attestations = [];
    for (const attestation of parts.attestations) {
      const reply = await this.verifyAttestation(bench, version, attestation);
      if (reply.verdict.outcome === 'rejected' || reply.predicateType !== attestation.predicateType) {
        refuse(refusals, `attestation ${attestation.document.digest} of ${name}`, reply.faults);
      }
      attestations.push({ attestation, verified: reply });
    }
    return { version, manifest: await bench.contents.packManifest(version), verified, promotions, attestations };
  }

  private async verifyBundle({ contents, ...asked }: Bench, version: KitVersion): Promise<VerifyBundleReply> {
    const { packId, version: number, channel, bundle, manifest, signatures, attestations, config, type } = version;
    const reply = await this.commands.send(VerifyBundle, {
      ...asked,
      packId,
      version: number,
      channel,
      bundle: contents.ref(bundle),
      manifest: contents.ref(manifest),
      signatures: signatures.map(({ document }) => contents.refOf(document)),
      ...judgedAttestations(
        asked.policies,
        attestations.map(one => ({ ...contents.refOf(one.document), predicateType: one.predicateType })),
      ),
      evaluatedAt: this.clock.now().toISOString(),
    });
    if (reply.verdict.outcome === 'accepted' && (reply.verdict.subject.config !== config.digest || reply.pack?.type !== type)) {
      throw new DomainError('ERR_KIT_INDEX', `the config of ${packId} ${number} is not that of its bundle`, {
        details: { digest: config.digest },
      });
    }
    return reply;
  }

  private verifyFor(
    { contents, ...asked }: Bench,
    { type, bundle, manifest, signatures, attestations }: KitVersion,
    channel: string,
  ): Promise<ReverifyVersionReply> {
    return this.commands.send(ReverifyVersion, {
      ...asked,
      channel,
      packType: type,
      bundle: contents.ref(bundle),
      manifest: contents.ref(manifest),
      signatures: signatures.map(({ document }) => contents.refOf(document)),
      ...judgedAttestations(
        asked.policies,
        attestations.map(one => ({ ...contents.refOf(one.document), predicateType: one.predicateType })),
      ),
      evaluatedAt: this.clock.now().toISOString(),
    });
  }

  private verifyAttestation(
    { contents, ...asked }: Bench,
    version: KitVersion,
    { document }: Attestation,
  ): Promise<VerifyAttestationReply> {
    return this.commands.send(VerifyAttestation, {
      ...asked,
      channel: version.channel,
      packType: version.type,
      attestation: contents.refOf(document),
      subject: { bundle: version.digest, manifest: version.manifest.digest },
      evaluatedAt: this.clock.now().toISOString(),
    });
  }
}

interface Bench {
  readonly tenant: string;
  readonly contents: KitContents;
  readonly policies: TrustState['policies'][number][];
  readonly trust: Pick<TrustState, 'digest' | 'epoch' | 'material'>;
}

function refuse(refusals: Refusal[], field: string, faults: readonly { readonly code: string; readonly message: string }[]): void {
  const [first] = faults;
  refusals.push({ field, code: first?.code ?? 'ERR_PACK_VERDICT_REJECTED', message: first?.message ?? 'was not accepted' });
}
