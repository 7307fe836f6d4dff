import { outboxUnsent, type Logger } from '@packs/observability';
import type { OutboxQueue, OutboxRow } from '@packs/ports';

const BATCH = 500;
/** Rows that another replica committed, or that a wake-up missed, are found within this time. */
const POLL_MS = 1_000;
const RETRY_MS = 500;

/** Moves committed events from the outbox to the wire, in order, and marks them after the stream's ack. */
export class OutboxRelay {
  private stopping = false;
  private loop: Promise<void> | undefined;
  private alarm: (() => void) | undefined;
  private awake = false;

  constructor(
    private readonly queue: OutboxQueue,
    private readonly publish: (rows: readonly OutboxRow[]) => Promise<number>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** There may be something to send. */
  wake(): void {
    this.awake = true;
    this.alarm?.();
  }

  /** Finishes the batch at hand and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    let countedAt = 0;
    while (!this.stopping) {
      this.awake = false;
      let pause = POLL_MS;
      try {
        if ((await this.queue.drain(BATCH, this.publish)) === BATCH) continue;
        if (Date.now() - countedAt >= POLL_MS) {
          outboxUnsent.set(await this.queue.countUnsent());
          countedAt = Date.now();
        }
      } catch (error) {
        this.logger.warn({ err: error }, 'events could not be sent; they stay in the outbox and are sent again');
        pause = RETRY_MS;
      }
      await this.pause(pause);
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.awake) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      this.alarm = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.alarm = undefined;
  }
}
