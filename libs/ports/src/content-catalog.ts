import type { StoredBlob } from './blob-store';

/** Which digest lies where. */
export abstract class ContentCatalog {
  /**
   * Records proven blobs and returns, in the same order, the record that holds for each digest: an earlier one wins,
   * and the object of the later is then the caller's to remove.
   */
  abstract record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]>;
}
