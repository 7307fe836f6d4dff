import { access, constants, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { digestAlgorithm, DomainError, type Digest, type DigestAlgorithm } from '@packs/domain';
import {
  BlobStore,
  type AppendedUpload,
  type BlobRef,
  type BlockReceiver,
  type ByteRange,
  type ByteSource,
  type PartialUpload,
  type StoredBlob,
  type WriteExpectation,
} from '@packs/ports';
import { ulid } from 'ulid';
import { BlockPool, type PoolCounts, type PoolLimits } from './block-pool';
import { DirectorySync } from './directory-sync';
import { writeBlocks } from './file-blocks';
import { RunningProof } from './running-proof';
import { readObject, writeObject } from './small-objects';
import { corrupt, indexesOf, openBlocks, openFile, type FileBlocks } from './stored-blocks';
import { UploadFiles } from './upload-files';

const OBJECT_KEY = /^[0-9a-z]{26}$/;
/** The last character of a key names its folder. */
const SHARDS = [...'0123456789abcdefghjkmnpqrstvwxyz'];
/** So many small objects in one folder before the next has its turn. */
const PER_SHARD = 64;
/** Files that a killed process left half-written are removed when they are this old. Well above the age of the oldest open upload. */
const STALE_MS = 48 * 60 * 60 * 1000;

export interface FileBlobStoreMemory {
  readonly filling: PoolLimits;
  readonly sending: PoolLimits;
}

/** A block that fills slowly can be written at any time; one that is taken slowly costs a client its download. */
const MEMORY: FileBlobStoreMemory = { filling: { most: 64, patienceMs: 250 }, sending: { most: 64, patienceMs: 10_000 } };

/**
 * Blobs as files: `objects/<shard>/<key>`. What streams in is written first under `tmp/<key>`, as are the pieces of uploads. Nobody is told a key before
 * the object's bytes and its name are on stable storage. Processes on one machine may share the folder.
 */
export class FileBlobStore extends BlobStore {
  private readonly directories = new DirectorySync();
  private readonly uploads: UploadFiles;
  /** Memory of what comes in, and of what goes out: neither waits for the other. */
  private readonly filling: BlockPool;
  private readonly sending: BlockPool;
  private smallObjects = 0;

  private constructor(
    private readonly root: string,
    { filling, sending }: FileBlobStoreMemory,
  ) {
    super();
    this.filling = new BlockPool(filling);
    this.sending = new BlockPool(sending);
    this.uploads = new UploadFiles(join(root, 'tmp'), this.filling);
  }

  static async open(root: string, memory: FileBlobStoreMemory = MEMORY): Promise<FileBlobStore> {
    const store = new FileBlobStore(root, memory);
    await mkdir(join(root, 'tmp'), { recursive: true, mode: 0o750 });
    for (const shard of SHARDS) await mkdir(join(root, 'objects', shard), { recursive: true, mode: 0o750 });
    await store.directories.sync(join(root, 'objects'));
    await store.directories.sync(root);
    await store.removeStale(Date.now() - STALE_MS);
    return store;
  }

  /** For one who only reads. @throws Error when there is no such folder */
  static async openToRead(root: string, memory: FileBlobStoreMemory = MEMORY): Promise<FileBlobStore> {
    await access(join(root, 'objects'), constants.R_OK);
    return new FileBlobStore(root, memory);
  }

  async write(source: ByteSource, expect: WriteExpectation): Promise<StoredBlob> {
    const key = ulid().toLowerCase();
    try {
      const handle = await open(this.temporaryOf(key), 'wx', 0o640);
      try {
        const proof = new RunningProof(expect.digest ? digestAlgorithm(expect.digest) : 'sha256');
        const { interrupted } = await writeBlocks(handle, source, { position: 0, maxBytes: expect.maxBytes, proof, pool: this.filling });
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

  append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
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
    const blocks = await openBlocks(this.pathOf(blob.objectKey), blob);
    try {
      for (const index of indexesOf(range)) yield await blocks.read(index, range, Buffer.allocUnsafe(blocks.sizeOf(index)));
    } finally {
      await blocks.close();
    }
  }

  override async deliver(
    blob: BlobRef & Partial<StoredBlob>,
    receiver: BlockReceiver,
    range: ByteRange = { start: 0, end: blob.size - 1 },
  ): Promise<void> {
    const blocks = await openBlocks(this.pathOf(blob.objectKey), blob);
    try {
      // A block at a time: between two of them those who wait have their turn.
      for (const index of indexesOf(range)) await this.deliverBlock(blocks, index, range, receiver);
    } finally {
      await blocks.close();
    }
  }

  /** What the memory of transfers is used for at this moment. */
  get memory(): { readonly filling: PoolCounts; readonly sending: PoolCounts } {
    return { filling: this.filling.counts, sending: this.sending.counts };
  }

  async remove(objectKey: string): Promise<void> {
    await rm(this.pathOf(objectKey), { force: true });
  }

  async check(): Promise<void> {
    await access(join(this.root, 'tmp'), constants.W_OK);
  }

  private async deliverBlock(blocks: FileBlocks, index: number, range: ByteRange, receiver: BlockReceiver): Promise<void> {
    let isTaken = false;
    const lent = await this.sending.lend(() => {
      if (isTaken) receiver.cut();
    });
    try {
      const block = await blocks.read(index, range, lent.bytes.subarray(0, blocks.sizeOf(index)));
      isTaken = true;
      await receiver.take(block);
    } finally {
      lent.release();
    }
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
