import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@packs/observability';
import { examineBlob, isQuarantined, LeaseLost, type BlobStore, type HeldScrub, type ScrubQueue, type StoredBlob } from '@packs/ports';
import type { QuarantineBlob } from '../quarantine-blob/quarantine-blob';
import { ScrubRun, type ScrubLimits } from './scrub-run';

const PAGE = 64;
/** A blob that cannot be read is tried so often before it counts as unreadable; by then the store answers well otherwise. */
const ATTEMPTS = 3;
const PAUSE_MS = 500;

/** Reads blob by blob what lies at rest, and puts in quarantine what is not what was proven. */
export class WorkScrub {
  constructor(
    private readonly queue: ScrubQueue,
    private readonly store: BlobStore,
    private readonly quarantineBlob: QuarantineBlob,
    private readonly limits: ScrubLimits,
    private readonly logger: Logger,
  ) {}

  /** @throws LeaseLost when it was cancelled or taken over; the reason of `signal` when that aborts */
  async execute(scrub: HeldScrub, signal: AbortSignal): Promise<void> {
    const run = new ScrubRun(this.queue, scrub, this.limits, signal);
    for (;;) {
      const blobs = await this.queue.next(scrub, run.position, PAGE);
      if (blobs.length === 0) break;
      for (const blob of blobs) {
        run.done(blob.digest, blob.size, await this.examine(blob, scrub, run, signal));
        await run.pass(0);
      }
      await run.record();
    }
    await this.queue.complete(scrub);
  }

  private async examine(
    blob: StoredBlob,
    scrub: HeldScrub,
    run: ScrubRun,
    signal: AbortSignal,
  ): Promise<'sound' | 'damaged' | 'unreadable'> {
    if (isQuarantined(blob)) return 'damaged';
    for (let attempt = 1; ; attempt++) {
      try {
        const finding = await examineBlob(this.store, blob, bytes => run.pass(bytes));
        if (finding === 'sound') return 'sound';
        const isolated = await this.quarantineBlob.isolate(blob, finding, `scrub ${scrub.id}`);
        if (isolated) this.logger.error({ digest: blob.digest, scrub: scrub.id, finding }, 'damage was found');
        return 'damaged';
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof LeaseLost) throw error;
        this.logger.warn({ err: error, digest: blob.digest, attempt }, 'a blob could not be read; it is tried again');
        await pause(PAUSE_MS * attempt, undefined, { signal });
        await run.renew();
        if (attempt >= ATTEMPTS && (await this.isWell())) return 'unreadable';
      }
    }
  }

  private async isWell(): Promise<boolean> {
    return this.store.check().then(
      () => true,
      () => false,
    );
  }
}
