import { MirrorSyncCompleted, MirrorSyncFailed, newEvent, type MirrorRecord } from '@packs/contracts';
import { DomainError, sha256, type Digest } from '@packs/domain';
import { mirrorSyncs, type Logger } from '@packs/observability';
import { LeaseLost, type Clock, type HeldJob, type MirrorQueue, type MirrorUnitOfWork, type SyncOutcome } from '@packs/ports';
import { HeldLeases, WorkerStopping, type HeldLease } from '@packs/service-host';
import type { PreparedSync } from '../run-sync/run-sync';
import { attemptTimes, type JobLimits } from './job-limits';
import { decideRetry, type JobFault } from './retry-decision';

/** What a job does: copies the selection to the mirror, or pulls from it. */
export interface MirrorRun {
  execute(job: HeldJob, mirror: MirrorRecord, signal: AbortSignal): Promise<PreparedSync>;
}

/** Works on one job from its claim to its end, under its lease. */
export class WorkJob {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly queue: MirrorQueue,
    private readonly run: MirrorRun,
    private readonly clock: Clock,
    private readonly limits: JobLimits,
    private readonly logger: Logger,
  ) {}

  async execute(job: HeldJob): Promise<void> {
    const renew = (held: HeldJob, leaseMs: number) => this.queue.renew(held, leaseMs);
    await this.leases.hold(job, renew, attemptTimes(this.limits), async lease => {
      try {
        if (job.attempt > this.limits.attempts) throw new DomainError('ERR_MIRROR_ATTEMPTS', `begun ${job.attempt} times and never ended`);
        await this.sync(job, lease);
        mirrorSyncs.inc({ result: 'completed' });
      } catch (error) {
        await this.afterFailure(job, error);
      }
    });
  }

  /** Gives every job at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async sync(job: HeldJob, lease: HeldLease): Promise<void> {
    const mirror = await this.unitOfWork.run(job.tenant, tx => tx.mirrors.find(job.tenant, job.mirrorId));
    if (!mirror) throw new LeaseLost(job);
    const { staged, outcome, tidy } = await lease.during(signal => this.run.execute(job, mirror, signal));
    // Shown while nobody else can take the job over; then, still under the lease, what it does not name may go.
    await this.queue.settle(job, () => staged.commit());
    await lease.during(tidy);
    await this.queue.settle(job, async tx => {
      const synced = await tx.succeed(outcome);
      await tx.outbox.append(this.completed(job, synced, outcome));
    });
    const { copiedBytes, versions, repaired, skipped } = outcome.counts;
    this.logger.info({ tenant: job.tenant, mirror: mirror.name, job: job.id, versions, copiedBytes, repaired, skipped }, 'mirror synced');
  }

  private async afterFailure(job: HeldJob, error: unknown): Promise<void> {
    const about = { tenant: job.tenant, mirror: job.mirrorId, job: job.id, attempt: job.attempt };
    try {
      if (error instanceof LeaseLost) return this.logger.warn(about, 'mirror job was lost to another worker or ended');
      if (error instanceof WorkerStopping) return await this.queue.release(job);
      const decision = decideRetry(error, job.attempt, this.limits.attempts);
      if (!(error instanceof DomainError)) this.logger.error({ err: error, ...about }, 'mirror sync failed unexpectedly');
      if (decision.kind === 'retry') {
        await this.queue.retryLater(job, decision.fault, decision.delayMs);
        mirrorSyncs.inc({ result: 'retried' });
        return this.logger.warn({ ...about, code: decision.fault.code, delayMs: decision.delayMs }, 'mirror sync will be tried again');
      }
      await this.giveUp(job, decision.fault);
      mirrorSyncs.inc({ result: 'failed' });
      this.logger.error({ ...about, code: decision.fault.code }, 'mirror sync given up');
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then finds it as it was.
      this.logger.warn({ err: failure, ...about }, 'the end of a mirror job could not be recorded; it will be taken over');
    }
  }

  private giveUp(job: HeldJob, fault: JobFault): Promise<void> {
    return this.queue.settle(job, async tx => {
      const mirror = await tx.fail(fault);
      const data = { ...originOf(job, sha256(`${job.id}/${fault.code}`)), mirrorId: mirror.id, name: mirror.name, jobId: job.id };
      await tx.outbox.append(newEvent(MirrorSyncFailed, { ...data, reason: fault.code, attempts: job.attempt }, this.clock.now()));
    });
  }

  private completed(job: HeldJob, mirror: MirrorRecord, { stateDigest, counts, skipped }: SyncOutcome) {
    return newEvent(
      MirrorSyncCompleted,
      {
        ...originOf(job, stateDigest),
        mirrorId: mirror.id,
        name: mirror.name,
        jobId: job.id,
        seq: mirror.seq,
        stateDigest,
        versions: counts.versions,
        copiedBytes: counts.copiedBytes,
        repaired: counts.repaired,
        skipped: counts.skipped,
        // Why is in the job: an event is short.
        skippedVersions: skipped.map(({ packId, version, code }) => ({ packId, version, code })),
      },
      this.clock.now(),
    );
  }
}

function originOf({ tenant, requestedBy, source }: HeldJob, metadataHash: Digest) {
  return { packId: null, version: null, tenant, actor: requestedBy, source, signatures: [], metadataHash };
}
