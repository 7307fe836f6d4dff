import { judgedAttestations, type ReverifyVersionReply } from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest, type SigningPolicy } from '@packs/domain';
import type { ChannelPolicy, Clock, CommandBus, JudgeableVersion, TrustState } from '@packs/ports';
import { askVerifier, type Answered } from '../judgement/ask-verifier';
import type { RotationPlan } from './plan-rotation';

interface Bench {
  readonly tenant: string;
  readonly packId: string;
  readonly commands: CommandBus;
  readonly clock: Clock;
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
export async function judgeRotation(bench: Bench, rotating: RotatingVersion, plan: RotationPlan): Promise<Answered<ReverifyVersionReply>> {
  const reply = await judgeByAll(bench, rotating, plan);
  if (reply.verdict.outcome === 'accepted') requireKnown(reply, plan);
  return reply;
}

/** As `judgeRotation`, whatever signatures that come count for. */
export async function judgeByAll(
  bench: Bench,
  { version, channels }: RotatingVersion,
  plan: RotationPlan,
): Promise<Answered<ReverifyVersionReply>> {
  const asked = new Set<Digest>();
  let own: Answered<ReverifyVersionReply> | undefined;
  for (const { channel, policy } of [{ channel: version.channel, policy: version.verdictPolicy }, ...channels]) {
    const key = canonicalDigest(policy);
    if (asked.has(key)) continue;
    asked.add(key);
    const reply = await ask(bench, version, plan, { channel, policy });
    if (reply.verdict.outcome === 'rejected') return reply;
    own ??= reply;
  }
  if (!own) throw new Error('no policy was asked');
  return own;
}

function ask(
  { tenant, packId, commands, clock, trust: { digest, epoch, material } }: Bench,
  { version, type, bundle, manifest, attestations }: JudgeableVersion,
  { signatures }: RotationPlan,
  { channel, policy }: { readonly channel: string; readonly policy: SigningPolicy | null },
): Promise<Answered<ReverifyVersionReply>> {
  const policies = policy ? [policy] : [];
  const request = {
    ...{ tenant, channel, packType: type, bundle, manifest },
    signatures: signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
    ...judgedAttestations(policies, attestations),
    policies,
    trust: { digest, epoch, material },
    evaluatedAt: clock.now().toISOString(),
  };
  return askVerifier(commands, 'reverify-version', request, { packId, version });
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
