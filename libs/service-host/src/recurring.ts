import type { Logger } from '@packs/observability';

const EVERY_MS = 60_000;

/** Upkeep that any replica may do, and several at once: at the start, and again a minute after each turn. */
export class Recurring {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();

  /**
   * @param name what it does, for the log
   * @param turn answers how much it did
   */
  constructor(
    private readonly name: string,
    private readonly turn: (signal: AbortSignal) => Promise<number>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.takeTurn().finally(() => {
      if (!this.ending.signal.aborted) this.timer = setTimeout(() => this.start(), EVERY_MS).unref();
    });
  }

  /** Resolves when nothing of it is under way any more. */
  async drain(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private async takeTurn(): Promise<void> {
    try {
      const count = await this.turn(this.ending.signal);
      if (count > 0) this.logger.info({ count }, this.name);
    } catch (error) {
      this.logger.warn({ err: error }, `${this.name}: not this time; the next turn tries again`);
    }
  }
}
