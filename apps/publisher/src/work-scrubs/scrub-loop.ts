import { hostname } from 'node:os';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { LeaseLost, type HeldScrub, type ScrubQueue } from '@packs/ports';
import { ulid } from 'ulid';
import type { WorkScrub } from './work-scrub';

/** A scrub that another process gave up, or the schedule asks for, is found within this time. */
const POLL_MS = 2_000;
const ACTOR = 'service:publisher';

/** Takes scrubs as long as the process runs. */
export class ScrubLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private alarm: (() => void) | undefined;

  constructor(
    private readonly queue: ScrubQueue,
    private readonly workScrub: WorkScrub,
    private readonly settings: { readonly leaseMs: number; readonly intervalSeconds: number | undefined },
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.running ??= this.run();
  }

  /** There may be something to do. */
  wake(): void {
    this.alarm?.();
  }

  /** Gives the scrub at hand back and stops. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const scrub = await this.next();
      if (scrub) await this.work(scrub);
      else await this.pause();
    }
  }

  private async next(): Promise<HeldScrub | undefined> {
    const { leaseMs, intervalSeconds } = this.settings;
    try {
      if (intervalSeconds !== undefined) await this.queue.addDue(ulid(), ACTOR, intervalSeconds);
      return await this.queue.claim(`${hostname()}/${process.pid}/${ulid()}`, leaseMs);
    } catch (error) {
      this.logger.warn({ err: error }, 'the queue of scrubs cannot be read; it is looked at again');
      return undefined;
    }
  }

  private async work(scrub: HeldScrub): Promise<void> {
    try {
      await this.workScrub.execute(scrub, this.stopping.signal);
      this.logger.info({ scrub: scrub.id }, 'scrub done');
    } catch (error) {
      if (error instanceof LeaseLost) return this.logger.info({ scrub: scrub.id }, 'the scrub was cancelled, or is another process’s now');
      if (!this.stopping.signal.aborted) this.logger.warn({ err: error, scrub: scrub.id }, 'the scrub was cut short; it goes on later');
      await this.giveBack(scrub);
      await this.pause();
    }
  }

  private async giveBack(scrub: HeldScrub): Promise<void> {
    try {
      await this.queue.release(scrub);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      // Its lease ends by itself, and whoever takes it then goes on where it stands.
      this.logger.warn({ err: error, scrub: scrub.id }, 'a scrub could not be given back');
    }
  }

  private async pause(): Promise<void> {
    if (this.stopping.signal.aborted) return;
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
