import {
  blobsOfQuestion,
  requestOf,
  VerdictQuestionSchema,
  type ReplayFinding,
  type ReplayLine,
  type ReplayRange,
  type VerdictQuestion,
} from '@packs/contracts';
import { canonicalDigest, DomainError, verdictHash, type Verdict } from '@packs/domain';
import { checkMessage } from '@packs/messaging';
import { isQuarantined, type ArchivedVerdict, type VerdictArchive } from '@packs/ports';
import { differenceOf } from './compare-verdicts';
import type { Rejudge } from './rejudge';

/** Verdicts read at a time, and how many of them are found again side by side. */
const PAGE = 64;
const WIDTH = 4;
/** What a tenant has before its first trust material. */
const NO_TRUST = canonicalDigest({ keys: [] });

type ReplayStep = Extract<ReplayLine, { kind: 'step' }>;

/** Finds stored verdicts again from what is stored, and nothing else. It changes nothing. */
export class ReplayVerdicts {
  constructor(
    private readonly archive: VerdictArchive,
    private readonly rejudge: Rejudge,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE when storage or a verification does not answer: nothing is known then */
  async *execute({ after, limit = Infinity, ...filter }: ReplayRange, signal: AbortSignal): AsyncGenerator<ReplayStep, void> {
    let place = after;
    for (let left = limit; left > 0 && !signal.aborted;) {
      const page = await this.archive.page(filter, place, Math.min(PAGE, left));
      for (let at = 0; at < page.length && !signal.aborted; at += WIDTH) {
        const part = page.slice(at, at + WIDTH);
        const found = await Promise.all(part.map(one => this.examine(one)));
        const last = part.at(-1);
        if (!last) return;
        place = { tenant: last.tenant, hash: last.hash };
        yield { kind: 'step', examined: part.length, findings: found.filter(finding => finding !== undefined), after: place };
      }
      if (page.length < Math.min(PAGE, left)) return;
      left -= page.length;
    }
  }

  private async examine(archived: ArchivedVerdict): Promise<ReplayFinding | undefined> {
    const { verdict, question, hash } = archived;
    const about = { tenant: archived.tenant, bundle: verdict.subject?.bundle, verdict: hash };
    const named = question ?? (await this.archive.publishedBy(archived));
    const name = { ...about, packId: named?.packId ?? null, version: named?.version ?? null };
    const own = verdictHash(verdict);
    if (own !== hash) return { ...name, outcome: 'altered', found: own, isFault: true };
    if (!question) {
      return { ...name, outcome: 'skipped', obstacle: 'no-question', reason: 'it was stored before questions were kept', isFault: false };
    }
    try {
      const found = await this.rejudge.execute(question.command, await this.requestOf(archived, question));
      if (found.verdictHash === hash) return undefined;
      return { ...name, outcome: 'differs', found: found.verdictHash, difference: differenceOf(verdict, found.verdict), isFault: true };
    } catch (error) {
      const hindered = obstacleOf(error, verdict);
      return { ...name, outcome: 'skipped', ...hindered };
    }
  }

  /** @throws NotKept, DomainError ERR_PACK_CORRUPT, ERR_PACK_REQUEST_INVALID */
  private async requestOf({ tenant, verdict }: ArchivedVerdict, question: VerdictQuestion): Promise<object> {
    checkMessage(VerdictQuestionSchema, question, 'what was kept of the question');
    const wanted = blobsOfQuestion(question);
    const { digest } = verdict.trust;
    const [policies, blobs] = await Promise.all([
      this.archive.policies(tenant, question.policies),
      this.archive.blobs([...wanted, digest]),
    ]);
    if (policies.length < question.policies.length) {
      const kept = new Set(policies.map(({ name, version }) => `${name}@${version}`));
      const gone = question.policies.map(([name, version]) => `${name}@${version}`).filter(name => !kept.has(name));
      throw new NotKept(`policy ${gone.join(', ')}`);
    }
    const missing = [...wanted, ...(digest === NO_TRUST ? [] : [digest])].find(one => !blobs.has(one));
    if (missing) throw new NotKept(missing);
    const quarantined = [...blobs.values()].find(isQuarantined);
    if (quarantined) throw new DomainError('ERR_PACK_CORRUPT', `${quarantined.digest} is in quarantine`);
    return requestOf(question, verdict, { tenant, policies, blobs, material: blobs.get(digest) ?? null });
  }
}

class NotKept extends Error {}

/** @throws the error where it says nothing of the verdict */
function obstacleOf(error: unknown, { outcome }: Verdict): Pick<ReplayFinding, 'obstacle' | 'reason' | 'isFault'> {
  // Nobody promised to keep the bytes of what was rejected.
  if (error instanceof NotKept) return { obstacle: 'not-kept', reason: `${error.message} is not kept`, isFault: outcome === 'accepted' };
  if (!(error instanceof DomainError) || error.code === 'ERR_PACK_UNAVAILABLE') throw error;
  const { code, message: reason } = error;
  return { obstacle: code === 'ERR_PACK_CORRUPT' ? 'damaged' : 'not-understood', reason, isFault: true };
}
