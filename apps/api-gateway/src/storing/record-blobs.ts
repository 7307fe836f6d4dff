import type { BlobStore, ContentCatalog, StoredBlob } from '@packs/ports';

/**
 * Records proven blobs and returns, in the same order, the record that holds for each. Bytes that were there before keep their first
 * object; the copy just written is nobody's.
 */
export async function recordBlobs(blobs: BlobStore, catalog: ContentCatalog, written: readonly StoredBlob[]): Promise<StoredBlob[]> {
  const recorded = await catalog.record(written);
  const kept = new Set(recorded.map(({ objectKey }) => objectKey));
  await Promise.all(written.filter(({ objectKey }) => !kept.has(objectKey)).map(({ objectKey }) => blobs.remove(objectKey)));
  return recorded;
}
