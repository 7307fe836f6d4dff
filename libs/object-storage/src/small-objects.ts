import { constants, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { digestAlgorithm, type Digest } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import type { DirectorySync } from './directory-sync';
import { writeAll } from './file-blocks';
import { RunningProof } from './running-proof';

/** Each write is on stable storage when it has ended: a flush of its own would take a thread's turn more. */
const NEW_AND_SYNCED = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC;

/**
 * Writes bytes that are in memory as an object, under its own name at once: nobody knows a key before its bytes are recorded, so that nobody reads a file
 * that is not whole. Bytes and name become durable together, by two flushes side by side, while the bytes are hashed.
 */
export async function writeObject(
  path: string,
  bytes: Uint8Array,
  { digest, directories }: { readonly digest: Digest | undefined; readonly directories: DirectorySync },
): Promise<Omit<StoredBlob, 'objectKey'>> {
  const handle = await open(path, NEW_AND_SYNCED, 0o640);
  try {
    const writing = writeAll(handle, bytes, 0);
    const [proven] = await Promise.all([prove(bytes, digest), writing, directories.sync(dirname(path))]);
    return proven;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function prove(bytes: Uint8Array, digest: Digest | undefined): Promise<Omit<StoredBlob, 'objectKey'>> {
  const proof = new RunningProof(digest ? digestAlgorithm(digest) : 'sha256');
  proof.add(bytes);
  return proof.conclude(digest);
}

/** All that a file has, where that is `size` bytes. */
export async function readObject(handle: FileHandle, size: number): Promise<Buffer | undefined> {
  // One byte more would be one too many.
  const buffer = Buffer.allocUnsafe(size + 1);
  for (let done = 0; ;) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, done);
    done += bytesRead;
    if (done === size) return buffer.subarray(0, size);
    if (done > size || bytesRead === 0) return undefined;
  }
}
