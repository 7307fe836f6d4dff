import { createHash } from 'node:crypto';
import { digestAlgorithm, digestHex, DomainError } from '@packs/domain';
import type { BlobStore, StoredBlob } from './blob-store';

/** `checksums`: the bytes are the digest's, but the record of their blocks is not. */
export type Finding = 'sound' | 'damaged' | 'checksums';

/**
 * Reads a blob at rest and says whether it is what was proven. Damage is believed only when a second reading finds it too and the store is well.
 * @param passed called with the length of each piece read; what it throws ends the reading
 * @throws whatever keeps the store from being read: that is no damage
 */
export async function examineBlob(store: BlobStore, blob: StoredBlob, passed?: (bytes: number) => Promise<void>): Promise<Finding> {
  if (await isWhole(store, blob, passed)) return 'sound';
  const { digest, size, objectKey } = blob;
  if (await isWhole(store, { digest, size, objectKey }, passed)) return 'checksums';
  await store.check();
  return 'damaged';
}

async function isWhole(
  store: BlobStore,
  blob: Parameters<BlobStore['read']>[0],
  passed: (bytes: number) => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const hash = createHash(digestAlgorithm(blob.digest));
  try {
    for await (const part of store.read(blob)) {
      hash.update(part);
      await passed(part.length);
    }
  } catch (error) {
    if (error instanceof DomainError && error.code === 'ERR_PACK_CORRUPT') return false;
    throw error;
  }
  return hash.digest('hex') === digestHex(blob.digest);
}
