import { BLOCK_BYTES } from './block-checksums';

/** A block of memory that one transfer has for a while. */
export interface LentBlock {
  readonly bytes: Buffer;
  /** Gives it back: from now on it is another's. Only the first call counts. */
  release(): void;
}

export interface PoolLimits {
  /** Blocks that are lent at a time. */
  readonly most: number;
  /** How long a block may be held while others wait for one. */
  readonly patienceMs: number;
}

/** What a pool has done with its memory so far. */
export interface PoolCounts {
  readonly lent: number;
  /** The most that were lent at a time. */
  readonly mostLent: number;
  readonly waiting: number;
  /** Blocks there are, lent or not. */
  readonly made: number;
}

/** Blocks that are kept for the next transfer; more than these, after a rush, go back to the collector. */
const MAX_SPARE = 32;

/**
 * Blocks of 1 MiB that transfers take by turns: memory that is used again costs neither page faults nor a collector's time, and does not grow with
 * the number of clients. Who finds none waits, the longest first.
 */
export class BlockPool {
  private readonly spare: Buffer[] = [];
  /** In the order in which they were lent. */
  private readonly lent = new Set<Loan>();
  private readonly queue: (() => void)[] = [];
  private overdueCheck: NodeJS.Timeout | undefined;
  private made = 0;
  private mostLent = 0;

  constructor(private readonly limits: PoolLimits) {}

  get counts(): PoolCounts {
    return { lent: this.lent.size, mostLent: this.mostLent, waiting: this.queue.length, made: this.made };
  }

  /** @param overdue told whenever the block was held for longer than the pool's patience and another waits, until it is given back: do so if you can */
  async lend(overdue: () => void): Promise<LentBlock> {
    // Who waits already goes first: a block is never both free and waited for.
    if (this.lent.size < this.limits.most) return this.loan(overdue);
    return new Promise(resolve => {
      this.queue.push(() => resolve(this.loan(overdue)));
      this.watch();
    });
  }

  private loan(overdue: () => void): LentBlock {
    const bytes = this.spare.pop() ?? this.make();
    const loan = new Loan(bytes, overdue, () => this.takeBack(loan));
    this.lent.add(loan);
    this.mostLent = Math.max(this.mostLent, this.lent.size);
    return loan;
  }

  private make(): Buffer {
    this.made++;
    return Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  private takeBack(loan: Loan): void {
    this.lent.delete(loan);
    if (this.spare.length < MAX_SPARE) this.spare.push(loan.bytes);
    else this.made--;
    this.queue.shift()?.();
  }

  /** While somebody waits, looks for blocks that were held for too long. */
  private watch(): void {
    this.overdueCheck ??= setTimeout(() => {
      this.overdueCheck = undefined;
      if (this.queue.length === 0) return;
      const before = performance.now() - this.limits.patienceMs;
      // Giving back changes the set.
      for (const loan of [...this.lent]) if (loan.since <= before) loan.overdue();
      this.watch();
    }, this.limits.patienceMs).unref();
  }
}

class Loan implements LentBlock {
  readonly since = performance.now();
  private isReleased = false;

  constructor(
    readonly bytes: Buffer,
    readonly overdue: () => void,
    private readonly takeBack: () => void,
  ) {}

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.takeBack();
  }
}
