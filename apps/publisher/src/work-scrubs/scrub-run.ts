import { setTimeout as pause } from 'node:timers/promises';
import type { Digest } from '@packs/domain';
import { scrubbedBytes } from '@packs/observability';
import type { HeldScrub, ScrubProgress } from '@packs/ports';

/** Longer waits are cut in pieces, so that metrics move on. */
const MAX_PAUSE_MS = 1_000;

/** One process's turn at a scrub: its pace, and what it has gone through and not recorded yet. */
export class ScrubRun {
  private cursor: string;
  private unrecorded = nothing();
  private readonly started = performance.now();
  private read = 0;

  constructor(
    { cursor }: HeldScrub,
    private readonly bytesPerSecond: number,
    private readonly signal: AbortSignal,
  ) {
    this.cursor = cursor;
  }

  get position(): string {
    return this.cursor;
  }

  /** Some bytes were read: waits as long as the pace asks for. @throws why the work has to end */
  async pass(bytes: number): Promise<void> {
    scrubbedBytes.inc(bytes);
    this.read += bytes;
    for (;;) {
      this.signal.throwIfAborted();
      const early = (this.read / this.bytesPerSecond) * 1000 - (performance.now() - this.started);
      if (early < 1) return;
      await pause(Math.min(early, MAX_PAUSE_MS), undefined, { signal: this.signal });
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

  /** What is to be recorded, and counts as recorded from here on. */
  take(): ScrubProgress {
    const progress = { cursor: this.cursor, ...this.unrecorded };
    this.unrecorded = nothing();
    return progress;
  }
}

function nothing() {
  return { examined: 0, bytes: 0, damaged: 0, unreadable: 0, digests: [] as Digest[] };
}
