import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DomainError, type Digest } from '@packs/domain';
import { BlobStore, type BlobRef, type ByteRange, type StoredBlob, type WriteExpectation } from '@packs/ports';
import { ulid } from 'ulid';
import { BLOCK_BYTES, BlockChecksums, encodeChecksums } from './block-checksums';
import { DirectorySync } from './directory-sync';

const OBJECT_KEY = /^[0-9a-z]{26}$/;
/** The last character of a key names its folder. */
const SHARDS = [...'0123456789abcdefghjkmnpqrstvwxyz'];
/** Files that a killed process left half-written are removed when they are this old. */
const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Blobs as files: `objects/<shard>/<key>`, written first under `tmp/<key>`. An object has its name only after its bytes and that
 * name are on stable storage. Processes on one machine may share the folder.
 */
export class FileBlobStore extends BlobStore {
  private readonly directories = new DirectorySync();

  private constructor(private readonly root: string) {
    super();
  }

  static async open(root: string): Promise<FileBlobStore> {
    const store = new FileBlobStore(root);
    await mkdir(join(root, 'tmp'), { recursive: true, mode: 0o750 });
    for (const shard of SHARDS) await mkdir(join(root, 'objects', shard), { recursive: true, mode: 0o750 });
    await store.directories.sync(join(root, 'objects'));
    await store.directories.sync(root);
    await store.removeStale(Date.now() - STALE_MS);
    return store;
  }

  async write(source: AsyncIterable<Uint8Array>, expect: WriteExpectation): Promise<StoredBlob> {
    const key = ulid().toLowerCase();
    const temporary = join(this.root, 'tmp', key);
    try {
      const handle = await open(temporary, 'wx', 0o640);
      let written: { digest: Digest; size: number; checksums: number[] };
      try {
        written = await writeHashing(handle, source, expect.maxBytes);
        if (expect.digest && written.digest !== expect.digest) throw mismatch(expect.digest, written.digest);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(temporary, this.pathOf(key));
      await this.directories.sync(this.shardOf(key));
      return { digest: written.digest, size: written.size, objectKey: key, blockChecksums: encodeChecksums(written.checksums) };
    } catch (error) {
      // Whichever name it has by now: when only the fsync of the folder failed, the second.
      for (const path of [temporary, this.pathOf(key)]) await rm(path, { force: true });
      throw error;
    }
  }

  async *read(blob: BlobRef & Partial<StoredBlob>, range: ByteRange = { start: 0, end: blob.size - 1 }): AsyncIterable<Uint8Array> {
    const handle = await openObject(this.pathOf(blob.objectKey), blob);
    const checksums = blob.blockChecksums === undefined ? undefined : BlockChecksums.decode(blob.blockChecksums);
    try {
      for (let index = Math.floor(range.start / BLOCK_BYTES); index * BLOCK_BYTES <= range.end; index++) {
        const offset = index * BLOCK_BYTES;
        const block = await readBlock(handle, offset, Math.min(BLOCK_BYTES, blob.size - offset));
        if (!block || (checksums && !checksums.matches(index, block))) throw corrupt(blob.digest);
        yield block.subarray(Math.max(0, range.start - offset), Math.min(block.length, range.end + 1 - offset));
      }
    } finally {
      await handle.close();
    }
  }

  async remove(objectKey: string): Promise<void> {
    await rm(this.pathOf(objectKey), { force: true });
  }

  async check(): Promise<void> {
    await access(join(this.root, 'tmp'), constants.W_OK);
  }

  private async removeStale(before: number): Promise<void> {
    const folder = join(this.root, 'tmp');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found && found.mtimeMs < before) await rm(path, { force: true });
    }
  }

  private shardOf(key: string): string {
    return join(this.root, 'objects', key.slice(-1));
  }

  private pathOf(key: string): string {
    if (!OBJECT_KEY.test(key)) throw new DomainError('ERR_PACK_CORRUPT', 'not an object key of this store');
    return join(this.shardOf(key), key);
  }
}

/** Blocks of finished writes: making a new one for each small blob is what a collector would be busy with. */
const spareBlocks: Buffer[] = [];
const MAX_SPARE_BLOCKS = 16;

async function writeHashing(
  handle: FileHandle,
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ digest: Digest; size: number; checksums: number[] }> {
  const hash = createHash('sha256');
  const checksums: number[] = [];
  const block = maxBytes < BLOCK_BYTES ? Buffer.allocUnsafe(maxBytes) : (spareBlocks.pop() ?? Buffer.allocUnsafe(BLOCK_BYTES));
  let filled = 0;
  let size = 0;
  // The hash is computed while the write is in flight, so the block may be filled again only after both.
  const flush = async (): Promise<void> => {
    const bytes = block.subarray(0, filled);
    const writing = writeAll(handle, bytes, size - filled);
    hash.update(bytes);
    checksums.push(crc32(bytes));
    await writing;
    filled = 0;
  };
  for await (const chunk of source) {
    if (size + chunk.length > maxBytes)
      throw new DomainError('ERR_PACK_TOO_LARGE', `more than ${maxBytes} bytes`, { details: { maxBytes } });
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + block.length - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      size += part.length;
      if (filled === block.length) await flush();
    }
  }
  if (filled > 0) await flush();
  if (block.length === BLOCK_BYTES && spareBlocks.length < MAX_SPARE_BLOCKS) spareBlocks.push(block);
  return { digest: `sha256:${hash.digest('hex')}`, size, checksums };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function openObject(path: string, blob: BlobRef): Promise<FileHandle> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw corrupt(blob.digest, cause);
  });
  const { size } = await handle.stat();
  if (size === blob.size) return handle;
  await handle.close();
  throw corrupt(blob.digest);
}

async function readBlock(handle: FileHandle, offset: number, length: number): Promise<Buffer | undefined> {
  const block = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(block, done, length - done, offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return block;
}

function mismatch(declared: Digest, found: Digest): DomainError {
  return new DomainError('ERR_PACK_DIGEST_MISMATCH', `the bytes hash to ${found}, not to the declared ${declared}`, {
    details: { declared, found },
    errors: [{ field: 'digest', message: `the bytes hash to ${found}` }],
  });
}

function corrupt(digest: Digest, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`, { details: { digest }, cause });
}
