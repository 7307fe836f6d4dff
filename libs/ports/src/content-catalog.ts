import type { StoredBlob } from './blob-store';

/** Which digest lies where. */
export abstract class ContentCatalog {
  /**
   * Records proven blobs and returns, in the same order, the record that holds for each digest: an earlier one wins,
   * and the object of the later is then the caller's to remove. A record survives a power cut from the next change on that leans on it: by itself
   * it acknowledges nothing.
   */
  abstract record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]>;
}
