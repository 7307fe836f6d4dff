import {
  judgedAttestations,
  type ImportKitRequest,
  type KitVersion,
  type ReverifyVersionReply,
  type VerifyAttestationReply,
  type VerifyBundleReply,
} from '@packs/contracts';
import { DomainError, type FieldFault, type PackManifest } from '@packs/domain';
import type { Clock, CommandBus, JudgeableVersion, TrustState } from '@packs/ports';
import { askVerifier, type Answered } from '../judgement/ask-verifier';
import { judgeVersion } from '../promote-version/judge-version';
import type { RotatingVersion } from '../rotate-signature/judge-rotation';
import { judgeSignatures, type BroughtSignatures } from './judge-signatures';
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
  readonly verified?: Pick<Answered<VerifyBundleReply>, 'verdict' | 'verdictHash' | 'question' | 'scanReports'>;
  /** What was judged of a version that is there already. */
  readonly held?: JudgeableVersion | undefined;
  /** Of a version that is there already. */
  readonly signatures?: BroughtSignatures | undefined;
  /** By each further channel it was let into, by that channel's own policy. */
  readonly promotions: readonly { readonly channel: string; readonly verified: Answered<ReverifyVersionReply> }[];
  readonly attestations: readonly { readonly attestation: Attestation; readonly verified: Answered<VerifyAttestationReply> }[];
}

/** What of a version the registry does not have yet. */
export interface MissingParts {
  readonly version: KitVersion;
  readonly isNew: boolean;
  readonly channels: readonly string[];
  readonly attestations: readonly Attestation[];
  /** What a version that is there has, and the signatures that the kit has for it. */
  readonly held: { readonly rotating: RotatingVersion; readonly brought: KitVersion['signatures'] } | undefined;
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
      state: trust,
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      scanning: trust.scanning,
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
    const signatures = await this.judgeSignatures(bench, parts);
    const held = parts.held && heldWith(bench, parts.attestations, parts.held.rotating.version, signatures);
    const promotions = [];
    for (const channel of parts.channels) {
      const reply = held ? await this.judgeHeld(bench, version, held, channel) : await this.verifyFor(bench, version, channel);
      if (reply instanceof DomainError) refuse(refusals, `${name} in ${channel}`, [reply]);
      else if (reply.verdict.outcome === 'rejected') refuse(refusals, `${name} in ${channel}`, reply.faults);
      else promotions.push({ channel, verified: reply });
    }
    const attestations = [];
    for (const attestation of parts.attestations) {
      const reply = await this.verifyAttestation(bench, version, attestation);
      if (reply.verdict.outcome === 'rejected' || reply.predicateType !== attestation.predicateType) {
        refuse(refusals, `attestation ${attestation.document.digest} of ${name}`, reply.faults);
      }
      attestations.push({ attestation, verified: reply });
    }
    const manifest = await bench.contents.packManifest(version);
    return { version, manifest, verified, held: parts.held?.rotating.version, signatures, promotions, attestations };
  }

  /** As a promotion of what is here. @returns ERR_PACK_WITHDRAWN for what is withdrawn: it gets into no channel, whatever that channel's policy says */
  private async judgeHeld(
    { tenant, state }: Bench,
    { packId }: KitVersion,
    held: JudgeableVersion,
    channel: string,
  ): Promise<Answered<ReverifyVersionReply> | DomainError> {
    try {
      return await judgeVersion({ tenant, packId, commands: this.commands, clock: this.clock }, held, channel, state);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_WITHDRAWN') return error;
      throw error;
    }
  }

  private async judgeSignatures(
    { tenant, contents, state }: Bench,
    { version, held }: MissingParts,
  ): Promise<BroughtSignatures | undefined> {
    if (!held) return undefined;
    const bench = { tenant, packId: version.packId, commands: this.commands, clock: this.clock, trust: state };
    const has = new Set(held.rotating.version.signatures.map(({ digest }) => digest));
    const brought = held.brought.map(({ document }) => contents.refOf(document)).filter(({ digest }) => !has.has(digest));
    return judgeSignatures(bench, held.rotating, brought);
  }

  private async verifyBundle({ contents, state: _, ...asked }: Bench, version: KitVersion): Promise<Answered<VerifyBundleReply>> {
    const { packId, version: number, channel, bundle, manifest, signatures, attestations, config, type } = version;
    const request = {
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
    };
    const reply = await askVerifier(this.commands, 'verify-bundle', request, { packId, version: number });
    if (reply.verdict.outcome === 'accepted' && (reply.verdict.subject.config !== config.digest || reply.pack?.type !== type)) {
      throw new DomainError('ERR_KIT_INDEX', `the config of ${packId} ${number} is not that of its bundle`, {
        details: { digest: config.digest },
      });
    }
    return reply;
  }

  private verifyFor(
    { contents, state: _, scanning: __, ...asked }: Bench,
    { packId, version, type, bundle, manifest, signatures, attestations }: KitVersion,
    channel: string,
  ): Promise<Answered<ReverifyVersionReply>> {
    const request = {
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
    };
    return askVerifier(this.commands, 'reverify-version', request, { packId, version });
  }

  private verifyAttestation(
    { contents, state: _, scanning: __, ...asked }: Bench,
    version: KitVersion,
    { document }: Attestation,
  ): Promise<Answered<VerifyAttestationReply>> {
    const request = {
      ...asked,
      channel: version.channel,
      packType: version.type,
      attestation: contents.refOf(document),
      subject: { bundle: version.digest, manifest: version.manifest.digest },
      evaluatedAt: this.clock.now().toISOString(),
    };
    return askVerifier(this.commands, 'verify-attestation', request, version);
  }
}

interface Bench {
  readonly tenant: string;
  readonly state: TrustState;
  readonly contents: KitContents;
  readonly policies: TrustState['policies'][number][];
  readonly trust: Pick<TrustState, 'digest' | 'epoch' | 'material'>;
  readonly scanning: TrustState['scanning'];
}

/** A version as it will be here: what is contested here counts no more because a kit has it as well. */
function heldWith(
  { contents }: Bench,
  attestations: readonly Attestation[],
  version: JudgeableVersion,
  signatures: BroughtSignatures | undefined,
): JudgeableVersion {
  const brought = attestations.map(({ document, predicateType }) => ({ ...contents.refOf(document), predicateType, contested: false }));
  return { ...version, signatures: (signatures?.plan ?? version).signatures, attestations: [...version.attestations, ...brought] };
}

function refuse(refusals: Refusal[], field: string, faults: readonly { readonly code: string; readonly message: string }[]): void {
  const [first] = faults;
  refusals.push({ field, code: first?.code ?? 'ERR_PACK_VERDICT_REJECTED', message: first?.message ?? 'was not accepted' });
}
