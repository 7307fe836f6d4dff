import type { Logger } from '@packs/observability';
import type { BlobStore, Clock, PartialUpload, UploadSessions } from '@packs/ports';

const AT_A_TIME = 100;

/** Clears away uploads that their clients left. Every replica does, and each takes what no other has taken. */
export class SweepUploads {
  /** On no record any more, and still there. */
  private left: readonly PartialUpload[] = [];

  constructor(
    private readonly sessions: UploadSessions,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly keptMs: number,
  ) {}

  /** @returns how many uploads were ended */
  async execute(signal?: AbortSignal): Promise<number> {
    const before = new Date(this.clock.now().getTime() - this.keptMs);
    await this.discard(this.left);
    for (let total = 0; ;) {
      const { ended, uploads } = await this.sessions.sweep(before, AT_A_TIME);
      await this.discard(uploads, this.left);
      total += ended;
      if (ended < AT_A_TIME || signal?.aborted) return total;
    }
  }

  /** One that cannot be removed keeps none of the others, and is tried again at the next turn. @throws while the store is away */
  private async discard(uploads: readonly PartialUpload[], left: readonly PartialUpload[] = []): Promise<void> {
    const kept = [...left];
    for (const upload of uploads) {
      try {
        await this.blobs.discard(upload);
      } catch (error) {
        kept.push(upload);
        this.logger.warn({ err: error }, 'an abandoned upload could not be removed');
      }
    }
    this.left = kept;
    if (kept.length > left.length) await this.blobs.check();
  }
}
