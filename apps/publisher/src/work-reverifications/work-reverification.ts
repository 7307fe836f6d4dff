import { DomainError } from '@packs/domain';
import { reverifiedVersions, type Logger } from '@packs/observability';
import { LeaseLost, type HeldReverification, type ReverificationProgress, type ReverificationQueue } from '@packs/ports';
import { HeldLeases, WorkerStopping } from '@packs/service-host';
import type { SettleVersion } from '../settle-version/settle-version';

/** Versions whose progress is recorded together. */
const PAGE = 32;
/** Verdicts that are asked for at a time: readers and publishers need the verifier as well. */
const WIDTH = 4;
/** A version of which no verdict can be had is passed over once the pass was cut short so often by it. */
const ATTEMPTS = 4;
/** Until a pass that was cut short goes on; longer each time. */
const DELAY_MS = 2_000;

type Next = Awaited<ReturnType<ReverificationQueue['next']>>[number];
type Outcome = 'unchanged' | 'withdrawn' | 'restored' | 'failed';

/** Goes through all versions of a tenant, in the order of their names, and settles how each stands. */
export class WorkReverification {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly queue: ReverificationQueue,
    private readonly settleVersion: Pick<SettleVersion, 'execute'>,
    private readonly epochOf: (tenant: string) => Promise<number>,
    private readonly leaseMs: number,
    private readonly logger: Logger,
  ) {}

  async execute(held: HeldReverification): Promise<void> {
    const renew = (lease: HeldReverification, leaseMs: number) => this.queue.renew(lease, leaseMs);
    await this.leases.hold(held, renew, { leaseMs: this.leaseMs }, async lease => {
      try {
        await lease.during(signal => this.goOn(held, signal));
        await this.queue.complete(held);
        this.logger.info({ tenant: held.id, cause: held.cause }, 'versions verified again');
      } catch (error) {
        await this.afterFailure(held, error);
      }
    });
  }

  /** Gives the passes at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async goOn(held: HeldReverification, signal: AbortSignal): Promise<void> {
    let isStuck = held.attempts > ATTEMPTS;
    for (let { cursor } = held; ;) {
      const page = await this.queue.next(held, cursor, PAGE);
      const epoch = await this.epochOf(held.id);
      for (let at = 0; at < page.length; at += WIDTH) {
        signal.throwIfAborted();
        const batch = page.slice(at, at + WIDTH);
        const outcomes = await Promise.all(batch.map(version => this.settle(held, version, { epoch, isStuck })));
        const { packId, version } = batch[batch.length - 1] ?? cursor;
        cursor = { packId, version };
        await this.queue.progress(held, progressOf(cursor, outcomes));
        isStuck = false;
      }
      if (page.length < PAGE) return;
    }
  }

  private async settle(
    { id: tenant, cause }: HeldReverification,
    { packId, version, acceptedEpoch }: Next,
    { epoch, isStuck }: { readonly epoch: number; readonly isStuck: boolean },
  ): Promise<Outcome> {
    // It came, or was settled by somebody else, under these very keys.
    if (cause === 'trust' && acceptedEpoch === epoch) return 'unchanged';
    try {
      const settled = await this.settleVersion.execute({ tenant, packId, version });
      const outcome = settled === 'gone' ? 'unchanged' : settled;
      reverifiedVersions.inc({ outcome });
      if (outcome !== 'unchanged') this.logger.warn({ tenant, packId, version }, `version ${outcome}`);
      return outcome;
    } catch (error) {
      const mayHeal = !(error instanceof DomainError) || error.retry === 'later';
      if (mayHeal && !isStuck) throw error;
      reverifiedVersions.inc({ outcome: 'failed' });
      this.logger.warn({ err: error, tenant, packId, version }, 'no verdict could be had of a version; it stands as it was');
      return 'failed';
    }
  }

  private async afterFailure(held: HeldReverification, error: unknown): Promise<void> {
    const about = { tenant: held.id };
    try {
      if (error instanceof LeaseLost) return this.logger.info(about, 'the pass was begun anew, or is another process’s now');
      if (error instanceof WorkerStopping) return await this.queue.release(held, 0);
      this.logger.warn({ err: error, ...about }, 'a pass over versions was cut short; it goes on later');
      await this.queue.release(held, DELAY_MS * held.attempts);
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then goes on where it stands.
      this.logger.warn({ err: failure, ...about }, 'a pass over versions could not be given back');
    }
  }
}

function progressOf(cursor: ReverificationProgress['cursor'], outcomes: readonly Outcome[]): ReverificationProgress {
  const count = (wanted: Outcome) => outcomes.filter(outcome => outcome === wanted).length;
  return { cursor, examined: outcomes.length, withdrawn: count('withdrawn'), restored: count('restored'), failed: count('failed') };
}
