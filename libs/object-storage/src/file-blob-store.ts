import { access, constants, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { digestAlgorithm, DomainError, type Digest, type DigestAlgorithm } from '@packs/domain';
import {
  BlobStore,
  type AppendedUpload,
  type BlobRef,
  type ByteRange,
  type PartialUpload,
  type StoredBlob,
  type WriteExpectation,
} from '@packs/ports';
import { ulid } from 'ulid';
import { BLOCK_BYTES, BlockChecksums } from './block-checksums';
import { DirectorySync } from './directory-sync';
import { readBlock, writeBlocks } from './file-blocks';
import { RunningProof } from './running-proof';
import { readObject, writeObject } from './small-objects';
import { UploadFiles } from './upload-files';

const OBJECT_KEY = /^[0-9a-z]{26}$/;
/** The last character of a key names its folder. */
const SHARDS = [...'0123456789abcdefghjkmnpqrstvwxyz'];
/** So many small objects in one folder before the next has its turn. */
const PER_SHARD = 64;
/** Files that a killed process left half-written are removed when they are this old. Well above the age of the oldest open upload. */
const STALE_MS = 48 * 60 * 60 * 1000;

/**
 * Blobs as files: `objects/<shard>/<key>`, written first under `tmp/<key>`, as are the pieces of uploads. An object has its name only after
 * its bytes and that name are on stable storage. Processes on one machine may share the folder.
 */
export class FileBlobStore extends BlobStore {
  private readonly directories = new DirectorySync();
  private readonly uploads: UploadFiles;
  private smallObjects = 0;

  private constructor(private readonly root: string) {
    super();
    this.uploads = new UploadFiles(join(root, 'tmp'));
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
    try {
      const handle = await open(this.temporaryOf(key), 'wx', 0o640);
      try {
        const proof = new RunningProof(expect.digest ? digestAlgorithm(expect.digest) : 'sha256');
        const { interrupted } = await writeBlocks(handle, source, { position: 0, maxBytes: expect.maxBytes, proof });
        if (interrupted) throw interrupted.cause;
        return await this.keep(handle, key, proof.conclude(expect.digest));
      } finally {
        await handle.close();
      }
    } catch (error) {
      await this.drop(key);
      throw error;
    }
  }

  override async writeBytes(bytes: Uint8Array, digest?: Digest): Promise<StoredBlob> {
    const key = `${ulid().toLowerCase().slice(0, -1)}${this.nextShard()}`;
    return { ...(await writeObject(this.pathOf(key), bytes, { digest, directories: this.directories })), objectKey: key };
  }

  override async readBytes(blob: BlobRef): Promise<Buffer> {
    const handle = await openFile(this.pathOf(blob.objectKey), blob);
    try {
      const bytes = await readObject(handle, blob.size);
      if (bytes) return bytes;
      throw corrupt(blob.digest);
    } finally {
      await handle.close();
    }
  }

  async begin(algorithm: DigestAlgorithm): Promise<PartialUpload> {
    return { size: 0, algorithm, state: { pieces: [] } };
  }

  append(upload: PartialUpload, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<AppendedUpload> {
    return this.uploads.append(upload, source, maxBytes);
  }

  /** Bytes that this process hashed while it alone wrote them need only be synced; others are read again into a new file. */
  async finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob> {
    const whole = await this.uploads.claim(upload);
    if (whole?.proof.algorithm === digestAlgorithm(digest)) return this.finishOwn(whole.key, whole.proof, digest);
    try {
      const blob = await this.write(this.uploads.read(upload), { maxBytes: upload.size, digest });
      await this.uploads.discard(upload);
      return blob;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_DIGEST_MISMATCH') await this.uploads.discard(upload);
      throw error;
    }
  }

  discard(upload: PartialUpload): Promise<void> {
    return this.uploads.discard(upload);
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

  private async finishOwn(key: string, proof: RunningProof, digest: Digest): Promise<StoredBlob> {
    try {
      const handle = await open(this.temporaryOf(key), 'r+');
      try {
        return await this.keep(handle, key, proof.conclude(digest));
      } finally {
        await handle.close();
      }
    } catch (error) {
      await this.drop(key);
      throw error;
    }
  }

  /** Makes a written file an object: its bytes are on stable storage before its name, and its name before this resolves. */
  private async keep(handle: FileHandle, key: string, proven: Omit<StoredBlob, 'objectKey'>): Promise<StoredBlob> {
    await handle.datasync();
    await rename(this.temporaryOf(key), this.pathOf(key));
    await this.directories.sync(this.shardOf(key));
    return { ...proven, objectKey: key };
  }

  /** Whichever name it has by now: when only the fsync of the folder failed, the second. */
  private async drop(key: string): Promise<void> {
    for (const path of [this.temporaryOf(key), this.pathOf(key)]) await rm(path, { force: true });
  }

  private async removeStale(before: number): Promise<void> {
    const folder = join(this.root, 'tmp');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found && found.mtimeMs < before) await rm(path, { force: true });
    }
  }

  /** Several small objects one after the other lie in one folder, so that they share its fsync. */
  private nextShard(): string {
    this.smallObjects += 1;
    return SHARDS[Math.floor(this.smallObjects / PER_SHARD) % SHARDS.length] ?? '0';
  }

  private temporaryOf(key: string): string {
    return join(this.root, 'tmp', key);
  }

  private shardOf(key: string): string {
    return join(this.root, 'objects', key.slice(-1));
  }

  private pathOf(key: string): string {
    if (!OBJECT_KEY.test(key)) throw new DomainError('ERR_PACK_CORRUPT', 'not an object key of this store');
    return join(this.shardOf(key), key);
  }
}

function openFile(path: string, blob: BlobRef): Promise<FileHandle> {
  return open(path, 'r').catch((cause: unknown) => {
    if (isNativeError(cause) && 'code' in cause && cause.code === 'ENOENT') throw corrupt(blob.digest, cause);
    // Too many open files, no permission: that says nothing of the bytes.
    throw new DomainError('ERR_PACK_UNAVAILABLE', `${blob.digest} cannot be opened now`, { retry: 'later', cause });
  });
}

async function openObject(path: string, blob: BlobRef): Promise<FileHandle> {
  const handle = await openFile(path, blob);
  const { size } = await handle.stat();
  if (size === blob.size) return handle;
  await handle.close();
  throw corrupt(blob.digest);
}

function corrupt(digest: Digest, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`, { details: { digest }, cause });
}
