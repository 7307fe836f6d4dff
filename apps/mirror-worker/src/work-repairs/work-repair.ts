import type { Logger } from '@packs/observability';
import { LeaseLost, type HeldRepair, type RepairQueue } from '@packs/ports';
import { HeldLeases, WorkerStopping } from '@packs/service-host';
import type { RepairBlob } from '../repair-blob/repair-blob';
import { attemptTimes, type JobLimits } from '../work-jobs/job-limits';
import { decideRetry } from '../work-jobs/retry-decision';

/** Works on one repair from its claim to its end, under its lease. */
export class WorkRepair {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly queue: RepairQueue,
    private readonly repairBlob: RepairBlob,
    private readonly limits: JobLimits,
    private readonly logger: Logger,
  ) {}

  async execute(repair: HeldRepair): Promise<void> {
    const { tenant, digest } = repair;
    const renew = (held: HeldRepair, leaseMs: number) => this.queue.renew(held, leaseMs);
    await this.leases.hold(repair, renew, attemptTimes(this.limits), async lease => {
      try {
        if (await this.queue.isWanted(repair)) await lease.during(signal => this.repairBlob.execute(repair, signal));
        await this.queue.finish(repair);
        this.logger.info({ tenant, digest }, 'a damaged blob is whole again');
      } catch (error) {
        await this.afterFailure(repair, error);
      }
    });
  }

  /** Gives every repair at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async afterFailure(repair: HeldRepair, error: unknown): Promise<void> {
    const about = { tenant: repair.tenant, digest: repair.digest, attempt: repair.attempt };
    try {
      if (error instanceof LeaseLost) return this.logger.warn(about, 'a repair was lost to another worker');
      if (error instanceof WorkerStopping) return await this.queue.retryLater(repair, 'ERR_PACK_UNAVAILABLE', 0);
      const decision = decideRetry(error, repair.attempt, this.limits.attempts);
      const { code } = decision.fault;
      if (decision.kind === 'retry') await this.queue.retryLater(repair, code, decision.delayMs);
      else await this.queue.finish(repair, code);
      this.logger.warn({ err: error, ...about, code, next: decision.kind }, 'a damaged blob was not brought back from a mirror');
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then finds it as it was.
      this.logger.warn({ err: failure, ...about }, 'the end of a repair could not be recorded; it will be taken over');
    }
  }
}
