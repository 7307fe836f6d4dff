import { DomainError } from '@packs/domain';
import { LeaseLost, type HeldJob } from '@packs/ports';

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly runDeadlineMs: number;
}

/** Renewed this often in the time of one lease, so that a slow renewal does not lose it. */
const RENEWALS = 3;

/** Keeps a job's lease while work is under way, and tells the work when it has to end: lease lost, deadline passed, process stopping. */
export class HeldLease<Job extends Pick<HeldJob, 'id' | 'owner'> = HeldJob> {
  private readonly controller = new AbortController();
  private readonly deadline: NodeJS.Timeout;
  private renewal: NodeJS.Timeout | undefined;
  private until: number;

  constructor(
    private readonly queue: { renew(job: Job, leaseMs: number): Promise<void> },
    private readonly job: Job,
    private readonly times: LeaseTimes,
  ) {
    this.until = performance.now() + times.leaseMs;
    this.deadline = setTimeout(() => {
      const minutes = Math.round(times.runDeadlineMs / 60_000);
      this.end(new DomainError('ERR_MIRROR_DEADLINE', `the attempt was not done within ${minutes} minutes`, { retry: 'later' }));
    }, times.runDeadlineMs);
    this.scheduleRenewal();
  }

  /** Rejects with the reason when the work has to end, even if a file operation of it never returns. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.controller;
    const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
    return Promise.race([work(signal), ended]);
  }

  end(reason: Error): void {
    this.controller.abort(reason);
  }

  release(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.renewal);
  }

  private scheduleRenewal(): void {
    this.renewal = setTimeout(() => void this.renew(), this.times.leaseMs / RENEWALS);
  }

  private async renew(): Promise<void> {
    const asked = performance.now();
    try {
      await this.queue.renew(this.job, this.times.leaseMs);
      this.until = asked + this.times.leaseMs;
    } catch (error) {
      // While the database cannot be asked, the lease is ours until it ends, and not a moment longer.
      if (error instanceof LeaseLost || performance.now() >= this.until) return this.end(new LeaseLost(this.job));
    }
    if (!this.controller.signal.aborted) this.scheduleRenewal();
  }
}
