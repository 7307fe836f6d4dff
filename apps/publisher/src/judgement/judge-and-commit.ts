import { canonicalDigest, DomainError } from '@packs/domain';
import type { RegistryTx, RegistryUnitOfWork, TrustState } from '@packs/ports';

/** A change of trust, policy or allow-list between verdict and commit makes everything be judged again; this many times. */
const MAX_ROUNDS = 4;
/** Who finds something else than was judged comes after somebody who got on, as often as a version may have signatures. */
const MAX_AGAIN = 64;

/** What a commit says that found what was judged to be another by now. */
export const JUDGE_AGAIN = Symbol('judge again');

export interface JudgedWork<Judged, Result> {
  readonly tenant: string;
  /** The trust to begin with. */
  readonly trust: TrustState;
  /** Asks for the verdict under this trust. `done` ends the work without a commit. */
  judge(trust: TrustState): Promise<{ readonly judged: Judged } | { readonly done: Result }>;
  /** What follows from the verdict, in the transaction that keeps the trust it leans on as it is. Nothing is written before `JUDGE_AGAIN`. */
  commit(tx: RegistryTx, judged: Judged, trust: TrustState): Promise<Result | typeof JUDGE_AGAIN>;
}

type Outcome<Result> = { readonly result: Result } | { readonly changed: TrustState } | typeof JUDGE_AGAIN;

/** Commits what was judged only under the very trust and policies it was judged by: until the transaction ends they cannot change. */
export async function judgeAndCommit<Judged, Result>(unitOfWork: RegistryUnitOfWork, work: JudgedWork<Judged, Result>): Promise<Result> {
  let { trust } = work;
  for (let round = 0, again = 0; round < MAX_ROUNDS && again < MAX_AGAIN;) {
    const found = await work.judge(trust);
    if ('done' in found) return found.done;
    const outcome = await unitOfWork.run<Outcome<Result>>(work.tenant, async tx => {
      const current = await tx.trust.state(work.tenant, 'share');
      if (!sameBasis(current, trust)) return { changed: current };
      const result = await work.commit(tx, found.judged, current);
      return result === JUDGE_AGAIN ? JUDGE_AGAIN : { result };
    });
    if (outcome === JUDGE_AGAIN) {
      again += 1;
      continue;
    }
    if ('result' in outcome) return outcome.result;
    trust = outcome.changed;
    round += 1;
  }
  throw new DomainError('ERR_PACK_CONFLICT', 'what the verdict leans on keeps changing; try again', { retry: 'later' });
}

/** What a verdict leans on: when any of it differs, the verdict says nothing about now. */
function sameBasis(a: TrustState, b: TrustState): boolean {
  const rest = ({ policies, scanning }: TrustState): string => canonicalDigest({ policies, scanning });
  return a.epoch === b.epoch && a.digest === b.digest && rest(a) === rest(b);
}
