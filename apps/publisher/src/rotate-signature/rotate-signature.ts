import { type ReverifyVersionReply, type RotateSignatureReply, type RotateSignatureRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest, type EncodedManifest } from '@packs/domain';
import type { BlobStore, Clock, CommandBus, NewSignature, RegistryTx, RegistryUnitOfWork, StoredBlob, TrustState } from '@packs/ports';
import { lockVersion } from '../deprecate-version/lock-version';
import type { Answered } from '../judgement/ask-verifier';
import { JUDGE_AGAIN, judgeAndCommit } from '../judgement/judge-and-commit';
import { versionBasis } from '../judgement/version-basis';
import { judgeRotation, type RotatingVersion } from './judge-rotation';
import { keepAnswer, earlierAnswer } from './kept-answer';
import { planRotation, type RotationPlan } from './plan-rotation';
import { prepareReferrers } from './prepare-referrers';
import { recordRotation } from './record-rotation';

/** Referrers that signatures came in, by the digests of the signatures; stored but not yet recorded. */
export interface Carriers {
  readonly referrers: ReadonlyMap<Digest, EncodedManifest>;
  readonly blobs: readonly StoredBlob[];
}

interface Judged {
  readonly found: RotatingVersion;
  readonly plan: RotationPlan;
  readonly verified: Answered<ReverifyVersionReply>;
  readonly signatures: readonly NewSignature[];
  readonly blobs: readonly StoredBlob[];
}

/**
 * Gives a published version other signatures, without another version. What is replaced counts for nothing from the commit on, and stays in the history.
 * The version is judged with what it will have, by the policies that let it in; unless they accept it, nothing changes.
 */
export class RotateSignature {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
  ) {}

  /**
   * @param carriers the manifests that signatures came in, kept byte for byte; for others one is made. What comes in one may be a copy of what was there
   * before, so a signature that was replaced stays so
   * @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_LIMIT, ERR_PACK_IDEMPOTENCY_MISMATCH, ERR_PACK_VERDICT_REJECTED naming signatures that count for nothing
   */
  async execute(request: RotateSignatureRequest, carriers?: Carriers): Promise<RotateSignatureReply> {
    const { tenant } = request;
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      earlier: await earlierAnswer(tx, request),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    if (begin.earlier) return begin.earlier;
    return judgeAndCommit<Judged, RotateSignatureReply>(this.unitOfWork, {
      tenant,
      trust: begin.trust,
      judge: trust => this.judge(request, trust, carriers),
      commit: (tx, judged, trust) => this.commit(tx, { request, carriers }, judged, trust),
    });
  }

  private async judge(
    request: RotateSignatureRequest,
    trust: TrustState,
    carriers: Carriers | undefined,
  ): Promise<{ judged: Judged } | { done: RotateSignatureReply }> {
    const { tenant } = request;
    const { found, retired, subject } = await this.unitOfWork.run(tenant, async tx => ({
      found: await find(tx, request),
      retired: carriers ? await retiredOf(tx, request) : [],
      subject: await tx.attestations.subject(tenant, request.packId, request.version),
    }));
    if (!subject) throw notFound(request);
    const signatures = request.signatures.filter(({ digest }) => !retired.includes(digest));
    const plan = planRotation(found.version, { ...request, signatures });
    if (plan.added.length === 0 && plan.replaced.length === 0) return { done: unchanged(plan) };
    const verified = await judgeRotation(
      { tenant, packId: request.packId, commands: this.commands, clock: this.clock, trust },
      found,
      plan,
    );
    const { verdict, verdictHash, faults } = verified;
    if (verdict.outcome === 'rejected') return { done: { outcome: 'rejected', verdict, verdictHash, faults } };
    return { judged: { found, plan, verified, ...(await prepareReferrers(this.blobs, { subject, plan, verdict, carriers })) } };
  }

  private async commit(
    tx: RegistryTx,
    { request, carriers }: { readonly request: RotateSignatureRequest; readonly carriers: Carriers | undefined },
    { found, plan, verified, signatures, blobs }: Judged,
    { epoch }: TrustState,
  ): Promise<RotateSignatureReply | typeof JUDGE_AGAIN> {
    const { tenant, packId, version, actor, source, reason } = request;
    const earlier = await earlierAnswer(tx, request);
    if (earlier) return earlier;
    const existing = await lockVersion(tx, tenant, packId, version);
    const standing = await tx.standings.lock({ tenant, packId, version });
    if (!standing) throw notFound(request);
    if (basisOf(await find(tx, request)) !== basisOf(found)) return JUDGE_AGAIN;
    if (carriers && (await retiredOf(tx, { ...request, signatures: plan.added })).length > 0) return JUDGE_AGAIN;
    const about = { tenant, packId, version, actor, source, reason };
    const rotated = await recordRotation(tx, { ...about, existing, standing, plan, verified, signatures, blobs, epoch }, this.clock.now());
    await keepAnswer(tx, request, rotated);
    return rotated;
  }
}

async function find(tx: RegistryTx, request: RotateSignatureRequest): Promise<RotatingVersion> {
  const { tenant, packId, version } = request;
  const found = await tx.channels.judgeable(tenant, packId, version);
  if (!found) throw notFound(request);
  return { version: found, channels: await tx.signatures.channelPolicies(tenant, packId, version) };
}

/** Those of the signatures sent that others have replaced. */
function retiredOf(tx: RegistryTx, { tenant, packId, version, signatures }: RotateSignatureRequest): Promise<readonly Digest[]> {
  const digests = signatures.map(({ digest }) => digest);
  return tx.signatures.retired(tenant, packId, version, digests);
}

/** What a verdict about signatures leans on beside trust: what the version is signed and attested by, and who has to accept that. */
function basisOf({ version, channels }: RotatingVersion): Digest {
  return canonicalDigest({ version: versionBasis(version), channels: channels.map(channel => ({ ...channel })) });
}

function unchanged({ signatures }: RotationPlan): RotateSignatureReply {
  return { outcome: 'unchanged', signatures: signatures.map(({ digest }) => digest) };
}

function notFound({ packId, version }: RotateSignatureRequest): DomainError {
  return new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
}
