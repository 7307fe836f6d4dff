import { DRIFT_NAMED, newEvent, ParityDriftDetected, ParityRestored, type MirrorRecord } from '@packs/contracts';
import { canonicalDigest, DomainError } from '@packs/domain';
import { parityComparisonSeconds, type Logger } from '@packs/observability';
import { LeaseLost, type Clock, type FinishingTx, type HeldComparison, type MirrorReadModel, type ParityQueue } from '@packs/ports';
import { HeldLeases, WorkerStopping, type HeldLease } from '@packs/service-host';
import type { CompareMirror } from '../compare-mirror/compare-mirror';
import { decideAnnouncement } from './decide-announcement';

export interface ComparisonLimits {
  readonly leaseMs: number;
  readonly attempts: number;
}

/** Until a mirror that was synced meanwhile is looked at again. */
const DISTURBED_MS = 500;
const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 60_000;

/** Works on one comparison from its claim to its end, under its lease. */
export class WorkComparison {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly queue: ParityQueue,
    private readonly mirrors: MirrorReadModel,
    private readonly compare: CompareMirror,
    private readonly clock: Clock,
    private readonly limits: ComparisonLimits,
    private readonly logger: Logger,
  ) {}

  async execute(held: HeldComparison): Promise<void> {
    const seconds = parityComparisonSeconds.startTimer();
    const renew = (job: HeldComparison, leaseMs: number) => this.queue.renew(job, leaseMs);
    await this.leases.hold(held, renew, this.limits, async lease => {
      try {
        if (held.attempt > this.limits.attempts)
          throw new DomainError('ERR_PARITY_ATTEMPTS', `begun ${held.attempt} times and never ended`);
        seconds({ result: await this.run(held, lease) });
      } catch (error) {
        seconds({ result: 'failed' });
        await this.afterFailure(held, error);
      }
    });
  }

  /** Gives every comparison at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async run(held: HeldComparison, lease: HeldLease): Promise<'in-step' | 'drift' | 'disturbed'> {
    const mirror = await this.mirrors.find(held.tenant, held.mirrorId);
    if (!mirror || mirror.pull) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${held.mirrorId}`);
    await lease.during(signal => this.compare.execute(held, mirror, signal));
    let inStep = true;
    const finished = await this.queue.finish(held, mirror.seq, async tx => {
      inStep = await this.announce(held, mirror, tx);
    });
    const about = { tenant: held.tenant, mirror: mirror.name, comparison: held.id, depth: held.depth };
    if (!finished) {
      this.logger.info(about, 'the mirror was synced while it was compared; it is compared again');
      await this.queue.retryLater(held, DISTURBED_MS, false);
      return 'disturbed';
    }
    this.logger.info({ ...about, inStep }, 'mirror compared');
    return inStep ? 'in-step' : 'drift';
  }

  private async announce(held: HeldComparison, mirror: MirrorRecord, tx: FinishingTx): Promise<boolean> {
    const { counts, announced: before } = tx;
    const { kind, announced } = decideAnnouncement(counts, before, mirror.seq);
    await tx.announce(announced);
    const { tenant, requestedBy: actor, source } = held;
    const found = { mirrorId: mirror.id, name: mirror.name, comparisonId: held.id, counts };
    const data = { packId: null, version: null, tenant, actor, source, signatures: [], metadataHash: canonicalDigest(found), ...found };
    if (kind === 'restored') await tx.outbox.append(newEvent(ParityRestored, data, this.clock.now()));
    if (kind === 'drift') {
      const differences = (await tx.first(DRIFT_NAMED)).map(({ version, path, state }) => ({
        packId: version?.packId ?? null,
        version: version?.version ?? null,
        path,
        state,
      }));
      await tx.outbox.append(newEvent(ParityDriftDetected, { ...data, differences }, this.clock.now()));
    }
    return announced.kinds.length === 0;
  }

  private async afterFailure(held: HeldComparison, error: unknown): Promise<void> {
    const about = { tenant: held.tenant, mirror: held.mirrorId, comparison: held.id, attempt: held.attempt };
    try {
      if (error instanceof LeaseLost) return this.logger.warn(about, 'comparison was lost to another worker or ended');
      if (error instanceof WorkerStopping) return await this.queue.retryLater(held, 0, false);
      const fault =
        error instanceof DomainError
          ? { code: error.code, message: error.message }
          : { code: 'ERR_PACK_INTERNAL', message: 'internal error' };
      if (!(error instanceof DomainError)) this.logger.error({ err: error, ...about }, 'comparison failed unexpectedly');
      const final = error instanceof DomainError && error.retry === 'never';
      if (fault.code !== 'ERR_PACK_UNAVAILABLE' && (final || held.attempt >= this.limits.attempts)) {
        await this.queue.fail(held, fault);
        return this.logger.error({ ...about, code: fault.code }, 'comparison given up');
      }
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(held.attempt - 1, 20), LAST_DELAY_MS);
      await this.queue.retryLater(held, delayMs, fault.code !== 'ERR_PACK_UNAVAILABLE', fault);
      this.logger.warn({ ...about, code: fault.code, delayMs }, 'comparison will be tried again');
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then begins anew.
      this.logger.warn({ err: failure, ...about }, 'the end of a comparison could not be recorded; it will be taken over');
    }
  }
}
