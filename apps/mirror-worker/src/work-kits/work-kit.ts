import { KitRefused, newEvent, type KitJobError } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { kitJobs, type Logger } from '@packs/observability';
import { LeaseLost, type Clock, type HeldKitJob, type KitQueue } from '@packs/ports';
import { HeldLeases, WorkerStopping } from '@packs/service-host';
import type { MakeKit } from '../make-kit/make-kit';
import type { StageKit } from '../stage-kit/stage-kit';
import { attemptTimes, type JobLimits } from '../work-jobs/job-limits';
import { decideRetry } from '../work-jobs/retry-decision';
import { KitRun } from './kit-run';

const ERRORS_KEPT = 50;

/** Works on one export or import from its claim to its end, under its lease. */
export class WorkKit {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly queue: KitQueue,
    private readonly makeKit: MakeKit,
    private readonly stageKit: StageKit,
    private readonly clock: Clock,
    private readonly limits: JobLimits,
    private readonly logger: Logger,
  ) {}

  async execute(job: HeldKitJob): Promise<void> {
    let signal: AbortSignal | undefined;
    const run = new KitRun(() => signal);
    const renew = (held: HeldKitJob, leaseMs: number) => this.queue.renew(held, leaseMs, run.progress);
    await this.leases.hold(job, renew, attemptTimes(this.limits), async lease => {
      try {
        await lease.during(given => {
          signal = given;
          return job.kind === 'export' ? this.makeKit.execute(job, run) : this.stageKit.execute(job, run);
        });
        kitJobs.inc({ kind: job.kind, result: 'succeeded' });
        this.logger.info({ tenant: job.tenant, job: job.id, attempt: job.attempt }, `kit ${job.kind} done`);
      } catch (error) {
        await this.afterFailure(job, error);
      }
    });
  }

  /** Gives every job at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async afterFailure(job: HeldKitJob, error: unknown): Promise<void> {
    const about = { tenant: job.tenant, job: job.id, kind: job.kind, attempt: job.attempt };
    try {
      if (error instanceof LeaseLost) return this.logger.warn(about, 'kit job was lost to another worker');
      if (error instanceof WorkerStopping) return await this.queue.release(job);
      if (!(error instanceof DomainError)) this.logger.error({ err: error, ...about }, 'kit job failed unexpectedly');
      const decision = decideRetry(error, job.attempt, this.limits.attempts);
      if (decision.kind === 'retry') {
        await this.queue.retryLater(job, toJobError(error, decision.fault), decision.delayMs);
        return this.logger.warn({ ...about, code: decision.fault.code, delayMs: decision.delayMs }, 'kit job will be tried again');
      }
      // Without a refusal nobody knows whether the publisher still works on what was staged.
      await this.giveUp(job, toJobError(error, decision.fault), error instanceof DomainError && error.retry === 'never');
      kitJobs.inc({ kind: job.kind, result: 'failed' });
      this.logger.warn({ ...about, code: decision.fault.code }, `kit ${job.kind} refused`);
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then finds it as it was.
      this.logger.warn({ err: failure, ...about }, 'the end of a kit job could not be recorded; it will be taken over');
    }
  }

  private giveUp(job: HeldKitJob, error: KitJobError, clear: boolean): Promise<void> {
    return this.queue.settle(job, async tx => {
      await tx.fail(error, clear && job.kind === 'import');
      if (job.kind === 'export' || job.request.preflight) return;
      const { digest, size } = job.request.kit;
      const data = {
        packId: null,
        version: null,
        actor: job.requestedBy,
        tenant: job.tenant,
        source: job.source,
        signatures: [],
        metadataHash: digest,
      };
      await tx.outbox.append(newEvent(KitRefused, { ...data, digest, size, reason: error.code }, this.clock.now()));
    });
  }
}

function toJobError(error: unknown, { code, message }: { code: string; message: string }): KitJobError {
  if (!(error instanceof DomainError)) return { code, message, details: {}, errors: [] };
  return { code, message, details: error.details, errors: error.errors.slice(0, ERRORS_KEPT) };
}
