import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@packs/observability';
import { examineBlob, isQuarantined, LeaseLost, type BlobStore, type HeldScrub, type ScrubQueue, type StoredBlob } from '@packs/ports';
import { HeldLeases, WorkerStopping } from '@packs/service-host';
import type { QuarantineBlob } from '../quarantine-blob/quarantine-blob';
import { ScrubRun } from './scrub-run';

const PAGE = 64;
/** A blob that cannot be read is tried so often before it counts as unreadable; by then the store answers well otherwise. */
const ATTEMPTS = 3;
const PAUSE_MS = 500;
/** Until a scrub that was cut short goes on. */
const DELAY_MS = 5_000;

export interface ScrubLimits {
  readonly leaseMs: number;
  readonly bytesPerSecond: number;
}

/** Reads blob by blob what lies at rest, and puts in quarantine what is not what was proven. */
export class WorkScrub {
  private readonly leases = new HeldLeases();

  constructor(
    private readonly queue: ScrubQueue,
    private readonly store: BlobStore,
    private readonly quarantineBlob: QuarantineBlob,
    private readonly limits: ScrubLimits,
    private readonly logger: Logger,
  ) {}

  async execute(scrub: HeldScrub): Promise<void> {
    const renew = (held: HeldScrub, leaseMs: number) => this.queue.renew(held, leaseMs);
    await this.leases.hold(scrub, renew, this.limits, async lease => {
      try {
        await lease.during(signal => this.goOn(scrub, signal));
        await this.queue.complete(scrub);
        this.logger.info({ scrub: scrub.id }, 'scrub done');
      } catch (error) {
        await this.afterFailure(scrub, error);
      }
    });
  }

  /** Gives the scrub at hand back. */
  stop(): void {
    this.leases.stop();
  }

  private async goOn(scrub: HeldScrub, signal: AbortSignal): Promise<void> {
    const run = new ScrubRun(scrub, this.limits.bytesPerSecond, signal);
    for (let blobs = await this.queue.next(scrub, run.position, PAGE); blobs.length > 0;) {
      for (const blob of blobs) {
        run.done(blob.digest, blob.size, await this.examine(blob, scrub, run, signal));
        if (run.isToBeRecorded) await this.queue.progress(scrub, run.take());
      }
      await this.queue.progress(scrub, run.take());
      blobs = await this.queue.next(scrub, run.position, PAGE);
    }
  }

  private async examine(
    blob: StoredBlob,
    scrub: HeldScrub,
    run: ScrubRun,
    signal: AbortSignal,
  ): Promise<'sound' | 'damaged' | 'unreadable'> {
    signal.throwIfAborted();
    if (isQuarantined(blob)) return 'damaged';
    for (let attempt = 1; ; attempt++) {
      try {
        const finding = await examineBlob(this.store, blob, bytes => run.pass(bytes));
        if (finding === 'sound') return 'sound';
        // Somebody else may have replaced it meanwhile.
        if (!(await this.quarantineBlob.isolate(blob, finding, `scrub ${scrub.id}`))) return 'sound';
        this.logger.error({ digest: blob.digest, scrub: scrub.id, finding }, 'damage was found');
        return 'damaged';
      } catch (error) {
        signal.throwIfAborted();
        this.logger.warn({ err: error, digest: blob.digest, attempt }, 'a blob could not be read; it is tried again');
        await pause(PAUSE_MS * attempt, undefined, { signal });
        if (attempt >= ATTEMPTS) {
          await this.store.check();
          return 'unreadable';
        }
      }
    }
  }

  private async afterFailure(scrub: HeldScrub, error: unknown): Promise<void> {
    const about = { scrub: scrub.id };
    try {
      if (error instanceof LeaseLost) return this.logger.info(about, 'the scrub was cancelled, or is another process’s now');
      if (error instanceof WorkerStopping) return await this.queue.release(scrub, 0);
      this.logger.warn({ err: error, ...about }, 'the scrub was cut short; it goes on later');
      await this.queue.release(scrub, DELAY_MS);
    } catch (failure) {
      // Its lease ends by itself, and whoever takes it then goes on where it stands.
      this.logger.warn({ err: failure, ...about }, 'a scrub could not be given back');
    }
  }
}
