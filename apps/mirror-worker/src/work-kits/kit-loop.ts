import type { Logger } from '@packs/observability';
import type { BlobStore, HeldKitJob, KitQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import type { WorkKit } from './work-kit';

/** Takes exports and imports, one at a time, as long as the process runs, and clears away what finished imports have left. */
export class KitLoop extends WorkLoop<HeldKitJob> {
  constructor(queue: KitQueue, workKit: WorkKit, blobs: BlobStore, leaseMs: number, logger: Logger) {
    const remove = async (keys: readonly string[]): Promise<void> => {
      for (const key of keys) await blobs.remove(key);
    };
    const claim = async (owner: string): Promise<HeldKitJob | undefined> => {
      while (await queue.clear(remove));
      return queue.claim(owner, leaseMs);
    };
    super({ queue: 'kit jobs', width: 1, claim, execute: job => workKit.execute(job), stop: () => workKit.stop() }, logger);
  }
}
