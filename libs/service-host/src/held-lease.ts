import type { DomainError } from '@packs/domain';
import { LeaseLost, type Lease } from '@packs/ports';

export interface LeaseTimes {
  readonly leaseMs: number;
  /** How long one attempt may take, and what it comes to when it takes longer. */
  readonly deadline?: { readonly ms: number; readonly reason: DomainError };
}

/** The process is going down; another takes the job. */
export class WorkerStopping extends Error {}

/** Renewed this often in the time of one lease, so that a slow renewal does not lose it. */
const RENEWALS = 3;

/** Keeps a job's lease while work is under way, and tells the work when it has to end: lease lost, deadline passed, process stopping. */
export class HeldLease {
  private readonly controller = new AbortController();
  private readonly deadline: NodeJS.Timeout | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private until: number;

  constructor(
    private readonly renewLease: () => Promise<void>,
    private readonly job: Lease,
    private readonly times: LeaseTimes,
  ) {
    this.until = performance.now() + times.leaseMs;
    const { deadline } = times;
    if (deadline) this.deadline = setTimeout(() => this.end(deadline.reason), deadline.ms);
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
    this.renewal = undefined;
  }

  private scheduleRenewal(): void {
    this.renewal = setTimeout(() => void this.renew(), this.times.leaseMs / RENEWALS);
  }

  private async renew(): Promise<void> {
    const asked = performance.now();
    try {
      await this.renewLease();
      this.until = asked + this.times.leaseMs;
    } catch (error) {
      // While the database cannot be asked, the lease is ours until it ends, and not a moment longer.
      if (error instanceof LeaseLost || performance.now() >= this.until) return this.end(new LeaseLost(this.job));
    }
    // Released while the renewal was under way, it is not renewed again.
    if (!this.controller.signal.aborted && this.renewal) this.scheduleRenewal();
  }
}

/** The leases one worker holds. */
export class HeldLeases {
  private readonly held = new Set<HeldLease>();

  /** @param renew what `work` is to be under way for. What `work` throws passes unchanged */
  async hold<Job extends Lease>(
    job: Job,
    renew: (job: Job, leaseMs: number) => Promise<void>,
    times: LeaseTimes,
    work: (lease: HeldLease) => Promise<void>,
  ): Promise<void> {
    const lease = new HeldLease(() => renew(job, times.leaseMs), job, times);
    this.held.add(lease);
    try {
      await work(lease);
    } finally {
      lease.release();
      this.held.delete(lease);
    }
  }

  /** Ends the work under every lease with `WorkerStopping`. */
  stop(): void {
    for (const lease of this.held) lease.end(new WorkerStopping('the process is stopping'));
  }
}
