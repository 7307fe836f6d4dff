import { setTimeout as pause } from 'node:timers/promises';
import type { Digest } from '@packs/domain';
import { scrubbedBytes } from '@packs/observability';
import type { HeldScrub, ScrubProgress, ScrubQueue } from '@packs/ports';

export interface ScrubLimits {
  readonly leaseMs: number;
  readonly bytesPerSecond: number;
}

/** Renewed this often in the time of one lease. */
const RENEWALS = 3;
/** The slowest pace is kept in pauses no longer than this, so that the process can stop. */
const MAX_PAUSE_MS = 1_000;

/** One process's turn at a scrub: its pace, its lease, and what it has gone through and not recorded yet. */
export class ScrubRun {
  private cursor: string;
  private unrecorded = { examined: 0, bytes: 0, damaged: 0, unreadable: 0, digests: [] as Digest[] };
  private readonly started = performance.now();
  private read = 0;
  private recordedAt = performance.now();

  constructor(
    private readonly queue: ScrubQueue,
    private readonly scrub: HeldScrub,
    private readonly limits: ScrubLimits,
    private readonly signal: AbortSignal,
  ) {
    this.cursor = scrub.cursor;
  }

  get position(): string {
    return this.cursor;
  }

  /** Some bytes were read: waits as long as the pace asks for. @throws LeaseLost, or why the process stops */
  async pass(bytes: number): Promise<void> {
    scrubbedBytes.inc(bytes);
    this.read += bytes;
    for (;;) {
      this.signal.throwIfAborted();
      if (performance.now() - this.recordedAt > this.limits.leaseMs / RENEWALS) await this.renew();
      const early = (this.read / this.limits.bytesPerSecond) * 1000 - (performance.now() - this.started);
      if (early < 1) return;
      await pause(Math.min(early, MAX_PAUSE_MS, this.limits.leaseMs / RENEWALS), undefined, { signal: this.signal });
    }
  }

  /** A blob was gone through. */
  done(digest: Digest, bytes: number, found: 'sound' | 'damaged' | 'unreadable'): void {
    this.cursor = digest;
    this.unrecorded.examined++;
    this.unrecorded.bytes += bytes;
    if (found === 'sound') return;
    this.unrecorded[found]++;
    this.unrecorded.digests.push(digest);
  }

  async record(): Promise<void> {
    const progress: ScrubProgress = { cursor: this.cursor, ...this.unrecorded };
    await this.queue.progress(this.scrub, progress, this.limits.leaseMs);
    this.unrecorded = { examined: 0, bytes: 0, damaged: 0, unreadable: 0, digests: [] };
    this.recordedAt = performance.now();
  }

  async renew(): Promise<void> {
    await this.queue.progress(this.scrub, undefined, this.limits.leaseMs);
    this.recordedAt = performance.now();
  }
}
