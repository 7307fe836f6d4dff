import { ComparisonLost, type HeldComparison, type ParityQueue } from '@packs/ports';

/** Renewed this often in the time of one lease, so that a slow renewal does not lose it. */
const RENEWALS = 3;

/** Keeps a comparison's lease while work is under way, and ends the work when the lease is lost or the process stops. */
export class ComparisonLease {
  private readonly controller = new AbortController();
  private renewal: NodeJS.Timeout | undefined;
  private until: number;

  constructor(
    private readonly queue: Pick<ParityQueue, 'renew'>,
    private readonly held: HeldComparison,
    private readonly leaseMs: number,
  ) {
    this.until = performance.now() + leaseMs;
    this.scheduleRenewal();
  }

  /** Rejects with the reason when the work has to end, even if a read of it never returns. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.controller;
    const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
    return Promise.race([work(signal), ended]);
  }

  end(reason: Error): void {
    this.controller.abort(reason);
  }

  release(): void {
    clearTimeout(this.renewal);
  }

  private scheduleRenewal(): void {
    this.renewal = setTimeout(() => void this.renew(), this.leaseMs / RENEWALS);
  }

  private async renew(): Promise<void> {
    const asked = performance.now();
    const renewal = this.renewal;
    try {
      await this.queue.renew(this.held, this.leaseMs);
      this.until = asked + this.leaseMs;
    } catch (error) {
      // While the database cannot be asked, the lease is ours until it ends, and not a moment longer.
      if (error instanceof ComparisonLost || performance.now() >= this.until) return this.end(new ComparisonLost(this.held));
    }
    if (!this.controller.signal.aborted && this.renewal === renewal) this.scheduleRenewal();
  }
}
