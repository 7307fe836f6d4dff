import { setTimeout as pause } from 'node:timers/promises';
import type { Digest } from '@packs/domain';
import { scrubbedBytes } from '@packs/observability';
import type { HeldScrub, ScrubProgress } from '@packs/ports';
import { Pace } from './pace';

/** Longer waits are cut in pieces, so that metrics move on. */
const MAX_PAUSE_MS = 1_000;
const RECORD_BYTES = 256 * 1024 * 1024;
const RECORD_MS = 1_000;

/** One process's turn at a scrub: its pace, and what it has gone through and not recorded yet. */
export class ScrubRun {
  private cursor: string;
  private unrecorded = nothing();
  private readonly pace: Pace;
  private recordedAt = performance.now();

  constructor(
    { cursor }: HeldScrub,
    bytesPerSecond: number,
    private readonly signal: AbortSignal,
  ) {
    this.cursor = cursor;
    this.pace = new Pace(bytesPerSecond);
  }

  get position(): string {
    return this.cursor;
  }

  /** Some bytes were read: waits as long as the pace asks for. @throws why the work has to end */
  async pass(bytes: number): Promise<void> {
    scrubbedBytes.inc(bytes);
    const due = this.pace.after(bytes, performance.now());
    for (;;) {
      this.signal.throwIfAborted();
      const early = due - performance.now();
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

  /** Whether much was gone through, or some time ago, since something was recorded. */
  get isToBeRecorded(): boolean {
    return this.unrecorded.bytes >= RECORD_BYTES || performance.now() - this.recordedAt >= RECORD_MS;
  }

  /** What is to be recorded, and counts as recorded from here on. */
  take(): ScrubProgress {
    const progress = { cursor: this.cursor, ...this.unrecorded };
    this.unrecorded = nothing();
    this.recordedAt = performance.now();
    return progress;
  }
}

function nothing() {
  return { examined: 0, bytes: 0, damaged: 0, unreadable: 0, digests: [] as Digest[] };
}
