import type { Logger } from '@packs/observability';
import type { ExpirePending } from './expire-pending';

const EVERY_MS = 60_000;

/** Looks for claims whose time is up, once a minute. */
export class ExpiryTimer {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly expirePending: ExpirePending,
    private readonly logger: Logger,
    private readonly everyMs = EVERY_MS,
  ) {}

  start(): void {
    this.timer = setTimeout(() => {
      this.running = this.run();
    }, this.everyMs);
    this.timer.unref();
  }

  /** Lets what runs come to its end. */
  async drain(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      const ended = await this.expirePending.execute();
      if (ended > 0) this.logger.info({ ended }, 'versions that waited for signatures expired');
    } catch (error) {
      this.logger.warn({ err: error }, 'claims could not be looked through; they are the next time');
    }
    if (!this.stopping) this.start();
  }
}
