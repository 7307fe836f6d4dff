import type { ReverifyVersionReply } from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest } from '@packs/domain';
import type { ChannelPolicy, JudgeableVersion, TrustState } from '@packs/ports';
import { askAbout, type Bench } from '../judgement/ask-about';
import type { Answered } from '../judgement/ask-verifier';
import type { RotationPlan } from './plan-rotation';

export interface TrustingBench extends Bench {
  readonly trust: TrustState;
}

/** A version as it is, and the channels that point at it. */
export interface RotatingVersion {
  readonly version: JudgeableVersion;
  readonly channels: readonly ChannelPolicy[];
}

/**
 * Asks each policy that let the version in, that of its publish first, whether it accepts it with the signatures planned. A later policy speaks of later
 * publishes and promotions.
 * @returns the first that rejects it, or that of its publish
 * @throws DomainError ERR_PACK_VERDICT_REJECTED naming signatures that come and count for nothing
 */
export async function judgeRotation(
  bench: TrustingBench,
  rotating: RotatingVersion,
  plan: RotationPlan,
): Promise<Answered<ReverifyVersionReply>> {
  const reply = await judgeByAll(bench, rotating, plan);
  if (reply.verdict.outcome === 'accepted') requireKnown(reply, plan);
  return reply;
}

/** As `judgeRotation`, whatever signatures that come count for. */
export async function judgeByAll(
  bench: TrustingBench,
  { version, channels }: RotatingVersion,
  plan: RotationPlan,
): Promise<Answered<ReverifyVersionReply>> {
  const asked = new Set<Digest>();
  let own: Answered<ReverifyVersionReply> | undefined;
  for (const { channel, policy } of [{ channel: version.channel, policy: version.verdictPolicy }, ...channels]) {
    const key = canonicalDigest(policy);
    if (asked.has(key)) continue;
    asked.add(key);
    const reply = await askAbout(
      bench,
      { ...version, signatures: plan.signatures },
      { channel, policies: policy ? [policy] : [], trust: bench.trust },
    );
    if (reply.verdict.outcome === 'rejected') return reply;
    own ??= reply;
  }
  if (!own) throw new Error('no policy was asked');
  return own;
}

/** Signatures that come and count for nothing, each with why. */
export function strangersOf(
  { verdict: { checks } }: ReverifyVersionReply,
  { added }: RotationPlan,
): { readonly digest: Digest; readonly reason: string }[] {
  return added.flatMap(({ digest }) => {
    const own = checks.filter(({ id, evidence }) => id === 'signature' && evidence === digest);
    return own.some(({ outcome }) => outcome === 'pass') ? [] : [{ digest, reason: own[0]?.reason ?? 'ERR_PACK_SIGNATURE_UNTRUSTED' }];
  });
}

/** A signature that nobody trusted made would only be kept. */
function requireKnown(reply: ReverifyVersionReply, plan: RotationPlan): void {
  const strangers = strangersOf(reply, plan);
  if (strangers.length === 0) return;
  throw new DomainError('ERR_PACK_VERDICT_REJECTED', 'a signature was not accepted: see errors', {
    errors: strangers.map(({ digest, reason }) => ({ field: 'signatures', message: `${digest} does not count: ${reason}`, code: reason })),
  });
}
