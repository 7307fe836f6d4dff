import { MAX_POLICY_CHANGES, type TryPolicyReply, type TryPolicyRequest } from '@packs/contracts';
import { canonicalDigest, selectPolicy, type Check, type SigningPolicy, type Verdict } from '@packs/domain';
import type { Clock, CommandBus, DecidedPlace, RegistryUnitOfWork, TrustState } from '@packs/ports';
import { withoutContested } from '../judgement/version-basis';
import { askAbout } from '../judgement/ask-about';

/** When one answer is due: what is left comes with the next. Far below the command's own time. */
const ANSWER_MS = 15_000;

type Change = TryPolicyReply['changes'][number];

interface Policies {
  readonly now: readonly SigningPolicy[];
  readonly then: readonly SigningPolicy[];
}

interface Trial {
  readonly tenant: string;
  readonly policies: Policies;
  readonly trust: TrustState;
}

/** Judges published versions for the channels they were let into, by the active policies and by those with one of them replaced. It changes nothing. */
export class TryPolicy {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE when no verifier answers */
  async execute({ tenant, policy: tried, after, limit }: TryPolicyRequest): Promise<TryPolicyReply> {
    const { page, trust } = await this.unitOfWork.run(tenant, async tx => ({
      page: await tx.channels.decisions(tenant, after, limit),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    const trial = { tenant, trust, policies: policiesOf(trust.policies, tried) };
    const due = this.clock.now().getTime() + ANSWER_MS;
    const reply = { examined: 0, affected: 0, changes: [] as Change[] };
    let next = after;
    for (const { type, ...place } of page) {
      if (reply.changes.length === MAX_POLICY_CHANGES || (reply.examined > 0 && this.clock.now().getTime() > due))
        return { ...reply, next };
      const isAffected = decidesOn({ channel: place.channel, packType: type }, trial.policies, tried.name);
      const change = isAffected ? await this.changeOf(place, trial) : undefined;
      reply.examined += 1;
      reply.affected += isAffected ? 1 : 0;
      if (change) reply.changes.push(change);
      next = place;
    }
    return { ...reply, next: page.length === limit ? next : null };
  }

  private async changeOf(place: DecidedPlace, { tenant, policies, trust }: Trial): Promise<Change | undefined> {
    const { packId, version, channel } = place;
    const judgeable = await this.unitOfWork.run(tenant, tx => tx.channels.judgeable(tenant, packId, version));
    if (!judgeable) return undefined;
    const bench = { tenant, packId, commands: this.commands, clock: instant(this.clock.now()) };
    const decide = async (active: readonly SigningPolicy[]) =>
      decisionOf((await askAbout(bench, withoutContested(judgeable), { channel, policies: active, trust })).verdict);
    const [now, then] = await Promise.all([decide(policies.now), decide(policies.then)]);
    return now.outcome === then.outcome ? undefined : { ...place, now, then };
  }
}

/** Both decisions are made as of one moment. */
function instant(now: Date): Clock {
  return { now: () => now };
}

function policiesOf(active: readonly SigningPolicy[], tried: SigningPolicy): Policies {
  const current = active.find(({ name }) => name === tried.name);
  const next = { ...tried, version: (current?.version ?? 0) + 1 };
  return { now: active, then: [...active.filter(({ name }) => name !== tried.name), next] };
}

/** Whether either set of policies decides by the one in question, and it is not the same in both: of the others nothing changes. */
function decidesOn(target: Parameters<typeof selectPolicy>[1], { now, then }: Policies, name: string): boolean {
  const [before, after] = [selectPolicy(now, target), selectPolicy(then, target)];
  if (before?.name !== name && after?.name !== name) return false;
  return canonicalDigest({ ...before, version: 0 }) !== canonicalDigest({ ...after, version: 0 });
}

function decisionOf({ outcome, policy, checks }: Verdict): Change['now'] {
  const { id, reason, evidence } = decidingCheck(outcome, checks);
  return { outcome, policy: policy && `${policy.name}@${policy.version}`, check: id, reason, evidence: evidence ?? null };
}

/** Of an accepted version the policy's own; of a rejected one the first that failed of those the policy goes by, else the first that failed. */
function decidingCheck(outcome: Verdict['outcome'], checks: readonly Check[]): Check {
  const failed = checks.filter(check => check.outcome === 'fail');
  const settling =
    outcome === 'accepted'
      ? checks.find(({ id }) => id === 'policy')
      : (failed.find(({ id }) => id === 'policy' || id === 'attestation') ?? failed[0]);
  return settling ?? { id: 'policy', outcome: 'skipped', reason: 'not-reached' };
}
