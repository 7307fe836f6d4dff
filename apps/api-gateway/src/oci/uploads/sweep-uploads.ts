import type { Logger } from '@packs/observability';
import type { BlobStore, Clock, UploadSessions } from '@packs/ports';

const EVERY_MS = 60_000;
const AT_A_TIME = 100;

/** Clears away uploads that their clients left. Every replica does, and each takes what no other has taken. */
export class SweepUploads {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(
    private readonly sessions: UploadSessions,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly keptMs: number,
  ) {}

  start(): void {
    this.running = this.sweepSafely().finally(() => {
      if (!this.isStopped) this.timer = setTimeout(() => this.start(), EVERY_MS).unref();
    });
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** @returns how many uploads were ended */
  async sweep(): Promise<number> {
    const before = new Date(this.clock.now().getTime() - this.keptMs);
    for (let total = 0; ;) {
      const { ended, uploads } = await this.sessions.sweep(before, AT_A_TIME);
      for (const upload of uploads) await this.blobs.discard(upload);
      total += ended;
      if (ended < AT_A_TIME || this.isStopped) return total;
    }
  }

  private async sweepSafely(): Promise<void> {
    try {
      const ended = await this.sweep();
      if (ended > 0) this.logger.info({ ended }, 'abandoned uploads cleared away');
    } catch (error) {
      this.logger.warn({ err: error }, 'abandoned uploads could not be cleared away; the next turn tries again');
    }
  }
}
