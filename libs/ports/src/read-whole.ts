import { contentDigest, digestAlgorithm, DomainError } from '@packs/domain';
import type { BlobRef, BlobStore } from './blob-store';

/**
 * Reads a small blob whole and proves it by its digest.
 * @throws DomainError ERR_PACK_TOO_LARGE above `maxBytes`, ERR_PACK_CORRUPT when the bytes are not the digest's
 */
export async function readWhole(store: BlobStore, blob: BlobRef, maxBytes: number): Promise<Buffer> {
  if (blob.size > maxBytes) throw new DomainError('ERR_PACK_TOO_LARGE', `blob has ${blob.size} bytes; at most ${maxBytes} are read here`);
  const bytes = await store.readBytes(blob);
  if (contentDigest(bytes, digestAlgorithm(blob.digest)) !== blob.digest) {
    store.damaged(blob);
    throw new DomainError('ERR_PACK_CORRUPT', `stored bytes are not ${blob.digest}`);
  }
  return bytes;
}
