import {
  newEvent,
  PackPromotionRejected,
  PackVersionPromoted,
  type PromoteVersionReply,
  type PromoteVersionRequest,
  type ReverifyVersionReply,
} from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { Clock, CommandBus, JudgeableVersion, RegistryTx, RegistryUnitOfWork } from '@packs/ports';
import { lockVersion } from '../deprecate-version/lock-version';
import type { Answered } from '../judgement/ask-verifier';
import { JUDGE_AGAIN, judgeAndCommit } from '../judgement/judge-and-commit';
import { versionBasis } from '../judgement/version-basis';
import { judgeVersion } from './judge-version';
import { mayPromote, type Standing } from './may-promote';

/** Points a channel at a published version that the channel's own policy accepts today. A channel never moves back by it. */
export class PromoteVersion {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws DomainError ERR_PACK_CHANNEL_UNKNOWN, ERR_PACK_NOT_FOUND, ERR_PACK_LIFECYCLE, ERR_PACK_WITHDRAWN, and ERR_PACK_CONFLICT
   * naming what the channel points at
   */
  async execute(request: PromoteVersionRequest): Promise<PromoteVersionReply> {
    const { tenant, packId, channel } = request;
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      standing: await mayPromote(tx, request),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    const { standing, trust } = begin;
    if ('done' in standing) return standing.done;
    let { version } = standing;
    const bench = { tenant, packId, commands: this.commands, clock: this.clock };
    return judgeAndCommit<Answered<ReverifyVersionReply>, PromoteVersionReply>(this.unitOfWork, {
      tenant,
      trust,
      judge: async current => {
        const verified = await judgeVersion(bench, version, channel, current);
        if (verified.verdict.outcome === 'accepted') return { judged: verified };
        return { done: await this.reject(request, version, verified) };
      },
      commit: async (tx, verified) => {
        await lockVersion(tx, tenant, packId, request.version);
        const found = await mayPromote(tx, request);
        if ('done' in found) return found.done;
        const isJudged = versionBasis(found.version) === versionBasis(version);
        version = found.version;
        return isJudged ? this.promote(tx, request, found, verified) : JUDGE_AGAIN;
      },
    });
  }

  private async promote(
    tx: RegistryTx,
    request: PromoteVersionRequest,
    { version, previousVersion }: Exclude<Standing, { readonly done: unknown }>,
    { verdict, verdictHash, question }: Answered<ReverifyVersionReply>,
  ): Promise<PromoteVersionReply> {
    const { tenant, packId, channel, actor } = request;
    const now = this.clock.now();
    const promotedAt = now.toISOString();
    await tx.packs.addVerdict(tenant, verdict, verdictHash, question);
    await tx.channels.move({ tenant, packId, channel, version: version.version, at: promotedAt, actor, reason: 'promotion', verdictHash });
    const state = { ...stateOf(request, version), previousVersion, verdictHash, promotedAt };
    await tx.outbox.append(newEvent(PackVersionPromoted, state, now));
    const { digest, manifestDigest } = version;
    return { outcome: 'promoted', digest, manifestDigest, previousVersion, verdictHash, promotedAt };
  }

  /** The channel stays where it is; verdict and event say why. */
  private reject(
    request: PromoteVersionRequest,
    version: JudgeableVersion,
    verified: Answered<ReverifyVersionReply>,
  ): Promise<PromoteVersionReply> {
    const { verdict, verdictHash, faults, question } = verified;
    const reasons = [...new Set(verdict.checks.filter(check => check.outcome === 'fail').map(check => check.reason))];
    const event = newEvent(PackPromotionRejected, { ...stateOf(request, version), verdictHash, reasons }, this.clock.now());
    return this.unitOfWork.run(request.tenant, async tx => {
      await tx.packs.addVerdict(request.tenant, verdict, verdictHash, question);
      await tx.outbox.append(event);
      return { outcome: 'rejected', verdict, verdictHash, faults };
    });
  }
}

function signaturesOf({ signatures }: JudgeableVersion): Digest[] {
  return signatures.map(({ digest }) => digest);
}

function stateOf({ packId, tenant, actor, source, channel, from }: PromoteVersionRequest, version: JudgeableVersion) {
  return {
    packId,
    version: version.version,
    actor,
    tenant,
    source,
    signatures: signaturesOf(version),
    metadataHash: version.config,
    digest: version.digest,
    manifestDigest: version.manifestDigest,
    channel,
    from,
  };
}
