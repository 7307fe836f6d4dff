import type { Digest } from '@packs/domain';
import { DomainError } from '@packs/domain';
import { PROVING_SINK, type KitBlob, type KitSink } from '@packs/pack-format';
import type { BlobStore, HeldImport, KitQueue, StoredBlob } from '@packs/ports';

/** Blobs up to this size are written together, so that they share the wait for the disk. */
const SMALL_BYTES = 1024 * 1024;
const BATCH_BLOBS = 32;
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Writes the blobs of a kit where nobody but its import sees them, and remembers each once it is on stable storage. What an earlier attempt has
 * written is proven again and not written again.
 */
export class KitStaging implements KitSink {
  private batch: { readonly blob: KitBlob; readonly bytes: Buffer }[] = [];
  private batchBytes = 0;
  private readonly known: Map<Digest, StoredBlob>;

  constructor(
    private readonly queue: KitQueue,
    private readonly store: BlobStore,
    private readonly job: HeldImport,
    known: ReadonlyMap<Digest, StoredBlob>,
  ) {
    this.known = new Map(known);
  }

  async blob(blob: KitBlob, bytes: AsyncIterable<Buffer>): Promise<void> {
    if (this.known.has(blob.digest)) return PROVING_SINK.blob(blob, bytes);
    if (blob.size > SMALL_BYTES) return this.remember([await this.write(blob, bytes)]);
    const parts: Buffer[] = [];
    for await (const part of bytes) parts.push(Buffer.from(part));
    this.batch.push({ blob, bytes: Buffer.concat(parts) });
    this.batchBytes += blob.size;
    if (this.batch.length >= BATCH_BLOBS || this.batchBytes >= BATCH_BYTES) await this.flush();
  }

  /** Writes what has been put off. */
  async flush(): Promise<void> {
    const { batch } = this;
    this.batch = [];
    this.batchBytes = 0;
    const written = await Promise.allSettled(batch.map(({ blob, bytes }) => this.write(blob, once(bytes))));
    // Also when one of them failed: what is there has to be found again, to be used or to be removed.
    await this.remember(written.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])));
    for (const result of written) if (result.status === 'rejected') throw result.reason;
  }

  /** Where the blobs lie, in the order asked for. */
  locate(blobs: readonly KitBlob[]): StoredBlob[] {
    return blobs.flatMap(({ digest }) => this.known.get(digest) ?? []);
  }

  /** Keeps a document beside the blobs, to be cleared away with them. */
  async add(bytes: Buffer, digest: Digest): Promise<StoredBlob> {
    const known = this.known.get(digest);
    if (known) return known;
    const stored = await this.write({ digest, size: bytes.length }, once(bytes));
    await this.remember([stored]);
    return stored;
  }

  private async write({ digest, size }: KitBlob, bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    try {
      return await this.store.write(bytes, { maxBytes: size, digest });
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_DIGEST_MISMATCH') throw error;
      throw new DomainError('ERR_KIT_DIGEST', `a blob does not have the digest ${digest} that it is named by`, {
        details: { digest },
        cause: error,
      });
    }
  }

  private async remember(stored: readonly StoredBlob[]): Promise<void> {
    if (stored.length === 0) return;
    try {
      await this.queue.stage(this.job, stored);
    } catch (error) {
      // Nobody would find them again.
      for (const { objectKey } of stored) await this.store.remove(objectKey);
      throw error;
    }
    for (const blob of stored) this.known.set(blob.digest, blob);
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
