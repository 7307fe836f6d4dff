import { crc32 } from 'node:zlib';
import { DomainError, sha256 } from '@packs/domain';
import { BlobStore, type BlobRef, type ByteRange, type StoredBlob, type WriteExpectation } from '@packs/ports';

const BLOCK_BYTES = 1024 * 1024;

/** A BlobStore without a disk. `objects` may be changed behind its back, as a bad disk would. */
export class InMemoryBlobStore extends BlobStore {
  readonly objects = new Map<string, Buffer>();
  /** The key of each read that was begun. */
  readonly reads: string[] = [];
  private keys = 0;

  /** @param chunkBytes the size of the pieces that a read hands on */
  constructor(private readonly chunkBytes = 64 * 1024) {
    super();
  }

  async write(source: AsyncIterable<Uint8Array>, expect: WriteExpectation): Promise<StoredBlob> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of source) {
      size += part.length;
      if (size > expect.maxBytes) throw new DomainError('ERR_PACK_TOO_LARGE', `more than ${expect.maxBytes} bytes`);
      parts.push(Buffer.from(part));
    }
    const bytes = Buffer.concat(parts);
    if (expect.digest && expect.digest !== sha256(bytes)) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', 'other bytes than declared');
    return { ...this.put(bytes), blockChecksums: checksumsOf(bytes) };
  }

  /** Bytes that have been there before. */
  put(bytes: Buffer): BlobRef {
    const objectKey = `object-${this.keys++}`;
    this.objects.set(objectKey, bytes);
    return { digest: sha256(bytes), size: bytes.length, objectKey };
  }

  async *read(blob: BlobRef & Partial<StoredBlob>, range: ByteRange = { start: 0, end: blob.size - 1 }): AsyncIterable<Uint8Array> {
    this.reads.push(blob.objectKey);
    const bytes = this.objects.get(blob.objectKey);
    if (bytes?.length !== blob.size) throw corrupt(blob);
    const sums = blob.blockChecksums === undefined ? undefined : Buffer.from(blob.blockChecksums, 'base64');
    for (let index = Math.floor(range.start / BLOCK_BYTES); index * BLOCK_BYTES <= range.end; index++) {
      const offset = index * BLOCK_BYTES;
      const block = bytes.subarray(offset, offset + BLOCK_BYTES);
      if (sums && (sums.length < (index + 1) * 4 || sums.readUInt32BE(index * 4) !== crc32(block))) throw corrupt(blob);
      const wanted = block.subarray(Math.max(0, range.start - offset), range.end + 1 - offset);
      for (let at = 0; at < wanted.length; at += this.chunkBytes) yield wanted.subarray(at, at + this.chunkBytes);
    }
  }

  async remove(objectKey: string): Promise<void> {
    this.objects.delete(objectKey);
  }

  async check(): Promise<void> {}
}

function checksumsOf(bytes: Buffer): string {
  const sums = Buffer.alloc(Math.ceil(bytes.length / BLOCK_BYTES) * 4);
  for (let at = 0; at * BLOCK_BYTES < bytes.length; at++) {
    sums.writeUInt32BE(crc32(bytes.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES)), at * 4);
  }
  return sums.toString('base64');
}

function corrupt({ digest }: BlobRef): DomainError {
  return new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`);
}
