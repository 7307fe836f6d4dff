import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { digestAlgorithm, DomainError, sha256, type Digest, type DigestAlgorithm } from '@packs/domain';
import {
  BlobStore,
  isPouring,
  type AppendedUpload,
  type BlobRef,
  type ByteRange,
  type ByteSource,
  type PartialUpload,
  type StoredBlob,
  type WriteExpectation,
} from '@packs/ports';

const BLOCK_BYTES = 1024 * 1024;

/** A BlobStore without a disk. `objects` may be changed behind its back, as a bad disk would. */
export class InMemoryBlobStore extends BlobStore {
  readonly objects = new Map<string, Buffer>();
  /** What has arrived of each upload that has not ended. */
  readonly uploads = new Map<string, Buffer>();
  /** The key of each read that was begun. */
  readonly reads: string[] = [];
  private keys = 0;

  /** @param chunkBytes the size of the pieces that a read hands on */
  constructor(private readonly chunkBytes = 64 * 1024) {
    super();
  }

  async write(source: ByteSource, expect: WriteExpectation): Promise<StoredBlob> {
    const { bytes, interrupted } = await drain(source, expect.maxBytes);
    if (interrupted) throw interrupted.cause;
    const digest = hashOf(bytes, expect.digest ? digestAlgorithm(expect.digest) : 'sha256');
    if (expect.digest && expect.digest !== digest) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', 'other bytes than declared');
    return { ...this.put(bytes, digest), blockChecksums: checksumsOf(bytes) };
  }

  async begin(algorithm: DigestAlgorithm): Promise<PartialUpload> {
    const key = `upload-${this.keys++}`;
    this.uploads.set(key, Buffer.alloc(0));
    return { size: 0, algorithm, state: { key } };
  }

  async append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
    const before = this.bytesOf(upload);
    const { bytes, interrupted } = await drain(source, maxBytes - upload.size);
    const after = Buffer.concat([before, bytes]);
    this.uploads.set(String(upload.state.key), after);
    return { upload: { ...upload, size: after.length }, ...(interrupted && { interrupted: interrupted.cause }) };
  }

  async finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob> {
    const bytes = this.bytesOf(upload);
    await this.discard(upload);
    return this.write(Readable.from([bytes]), { maxBytes: bytes.length, digest });
  }

  async discard(upload: PartialUpload): Promise<void> {
    this.uploads.delete(String(upload.state.key));
  }

  /** Bytes that have been there before. */
  put(bytes: Buffer, digest: Digest = sha256(bytes)): BlobRef {
    const objectKey = `object-${this.keys++}`;
    this.objects.set(objectKey, bytes);
    return { digest, size: bytes.length, objectKey };
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

  private bytesOf(upload: PartialUpload): Buffer {
    const bytes = this.uploads.get(String(upload.state.key));
    if (!bytes || bytes.length < upload.size) throw new DomainError('ERR_PACK_NOT_FOUND', 'what was uploaded before is not there any more');
    return bytes.subarray(0, upload.size);
  }
}

/** All that a source gave, and why it ended early if it did. */
async function drain(source: ByteSource, maxBytes: number): Promise<{ bytes: Buffer; interrupted?: { cause: unknown } }> {
  const parts: Buffer[] = [];
  const tooLarge = new DomainError('ERR_PACK_TOO_LARGE', `more than ${maxBytes} bytes`);
  let size = 0;
  try {
    const take = (part: Uint8Array): void => {
      size += part.length;
      if (size > maxBytes) throw tooLarge;
      parts.push(Buffer.from(part));
    };
    if (isPouring(source)) await source.pour(part => void take(part));
    else for await (const part of source) take(part);
  } catch (cause) {
    if (cause === tooLarge) throw cause;
    return { bytes: Buffer.concat(parts), interrupted: { cause } };
  }
  return { bytes: Buffer.concat(parts) };
}

function hashOf(bytes: Buffer, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
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
