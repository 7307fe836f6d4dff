import { digestAlgorithm, DomainError, type Digest, type DigestAlgorithm } from '@packs/domain';
import {
  BlobStore,
  type AppendedUpload,
  type BlobRef,
  type ByteRange,
  type ByteSource,
  type PartialUpload,
  type StoredBlob,
  type WriteExpectation,
} from '@packs/ports';
import { ulid } from 'ulid';
import { BLOCK_BYTES, BlockChecksums } from '../block-checksums';
import { RunningProof } from '../running-proof';
import { takeAll } from '../take-all';
import { blobKey, sizeOrAbsent } from './multipart-writer';
import { blocksOf, ObjectDamaged } from './s3-blocks';
import { S3Bucket, unavailable, type S3Credentials, type S3Patience } from './s3-bucket';
import type { S3Location } from './s3-location';
import { S3Uploads } from './s3-uploads';

const OBJECT_KEY = /^[0-9a-z]{26}$/;

/**
 * Blobs as objects of one bucket: `blobs/<key>`. What the store was given is read back and hashed before it counts as stored: the store's word
 * alone proves nothing.
 */
export class S3BlobStore extends BlobStore {
  private readonly bucket: S3Bucket;
  private readonly uploads: S3Uploads;

  constructor(location: S3Location, credentials: S3Credentials, patience?: S3Patience) {
    super();
    this.bucket = new S3Bucket(location, credentials, patience);
    this.uploads = new S3Uploads(this.bucket, location.partBytes);
  }

  async write(source: ByteSource, expect: WriteExpectation): Promise<StoredBlob> {
    const objectKey = ulid().toLowerCase();
    const proof = new RunningProof(expect.digest ? digestAlgorithm(expect.digest) : 'sha256');
    const writer = this.uploads.writer({ key: objectKey, etags: [] });
    try {
      const { interrupted } = await takeAll(source, expect.maxBytes, chunk => {
        proof.add(chunk);
        return writer.take(chunk);
      });
      if (interrupted) throw interrupted.cause;
      const { digest, size } = proof.conclude(expect.digest);
      await writer.complete(size);
      return await this.proveGiven(objectKey, size, digest);
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  async begin(algorithm: DigestAlgorithm): Promise<PartialUpload> {
    return { size: 0, algorithm, state: { key: ulid().toLowerCase(), etags: [] } };
  }

  append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
    return this.uploads.append(upload, source, maxBytes);
  }

  finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob> {
    return this.uploads.finish(upload, digest);
  }

  discard(upload: PartialUpload): Promise<void> {
    return this.uploads.discard(upload);
  }

  async *read(blob: BlobRef & Partial<StoredBlob>, range: ByteRange = { start: 0, end: blob.size - 1 }): AsyncIterable<Uint8Array> {
    const object = { key: this.keyOf(blob.objectKey), size: blob.size };
    const checksums = blob.blockChecksums === undefined ? undefined : BlockChecksums.decode(blob.blockChecksums);
    let index = Math.floor(range.start / BLOCK_BYTES);
    try {
      if (blob.size === 0 && (await sizeOrAbsent(this.bucket, object.key)) !== 0) throw new ObjectDamaged('not there, or not empty');
      for await (const block of blocksOf(this.bucket, object, index, Math.floor(range.end / BLOCK_BYTES))) {
        if (checksums && !checksums.matches(index, block)) throw new ObjectDamaged(`block ${index} differs`);
        const offset = index++ * BLOCK_BYTES;
        yield block.subarray(Math.max(0, range.start - offset), Math.min(block.length, range.end + 1 - offset));
      }
    } catch (error) {
      throw error instanceof ObjectDamaged ? corrupt(blob.digest, error) : error;
    }
  }

  override redirect(blob: BlobRef, seconds: number): Promise<URL> {
    return this.bucket.presign(this.keyOf(blob.objectKey), seconds);
  }

  async remove(objectKey: string): Promise<void> {
    await this.bucket.remove(this.keyOf(objectKey));
  }

  async check(): Promise<void> {
    if (!(await this.bucket.exists())) throw new DomainError('ERR_PACK_UNAVAILABLE', 'the bucket is not there', { retry: 'later' });
  }

  /** Closes the connections that are kept for the next request. */
  close(): void {
    this.bucket.close();
  }

  /** The store was given the right bytes: other ones are its own fault. */
  private async proveGiven(objectKey: string, size: number, digest: Digest): Promise<StoredBlob> {
    try {
      return await this.uploads.prove(objectKey, size, digest);
    } catch (error) {
      await this.bucket.remove(blobKey(objectKey)).catch(() => undefined);
      throw error instanceof DomainError && error.code === 'ERR_PACK_DIGEST_MISMATCH' ? unavailable(error) : error;
    }
  }

  private keyOf(objectKey: string): string {
    if (!OBJECT_KEY.test(objectKey)) throw new DomainError('ERR_PACK_CORRUPT', 'not an object key of this store');
    return blobKey(objectKey);
  }
}

function corrupt(digest: Digest, cause: unknown): DomainError {
  return new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`, { details: { digest }, cause });
}
