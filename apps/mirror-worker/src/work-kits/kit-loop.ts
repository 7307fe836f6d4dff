import { hostname } from 'node:os';
import type { Logger } from '@packs/observability';
import type { BlobStore, HeldKitJob, KitQueue } from '@packs/ports';
import { ulid } from 'ulid';
import type { WorkKit } from './work-kit';

/** Jobs that another process queued, or whose pause has ended, are found within this time. */
const POLL_MS = 500;

/** Takes exports and imports, one at a time, as long as the process runs, and clears away what finished imports have left. */
export class KitLoop {
  private stopping = false;
  private running: Promise<void> | undefined;
  private alarm: (() => void) | undefined;

  constructor(
    private readonly queue: KitQueue,
    private readonly workKit: WorkKit,
    private readonly blobs: BlobStore,
    private readonly leaseMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** There may be something to do. */
  wake(): void {
    this.alarm?.();
  }

  /** Gives the job at hand back and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    this.workKit.stop();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const job = await this.next();
      if (job) await this.workKit.execute(job);
      else await this.pause();
    }
  }

  private async next(): Promise<HeldKitJob | undefined> {
    try {
      while (await this.queue.clear(keys => this.remove(keys)));
      // A new owner for each claim: what is left of an earlier attempt of this same process holds nothing.
      return await this.queue.claim(`${hostname()}/${process.pid}/${ulid()}`, this.leaseMs);
    } catch (error) {
      this.logger.warn({ err: error }, 'the queue of kit jobs cannot be read; it is looked at again');
      return undefined;
    }
  }

  private async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.blobs.remove(key);
  }

  private async pause(): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, POLL_MS);
      this.alarm = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.alarm = undefined;
  }
}
