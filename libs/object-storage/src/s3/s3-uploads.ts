import { digestAlgorithm, DomainError, type Digest } from '@packs/domain';
import type { AppendedUpload, ByteSource, PartialUpload, StoredBlob } from '@packs/ports';
import { LRUCache } from 'lru-cache';
import { ulid } from 'ulid';
import { BLOCK_BYTES } from '../block-checksums';
import { lostUpload } from '../lost-upload';
import { RunningProof } from '../running-proof';
import { takeAll } from '../take-all';
import { blobKey, MultipartWriter, sizeOrAbsent, type Parts } from './multipart-writer';
import { isAbsence, unavailable, type S3Bucket } from './s3-bucket';
import { blocksOf, ObjectDamaged } from './s3-blocks';
import { s3UploadOf, type S3Upload, type Tail } from './s3-upload';

const MAX_UNDECIDED = 1000;

/**
 * Uploads as multipart uploads of S3. What is left behind the last whole part lies in an object of its own, `uploads/<key>`, which is never
 * changed: each piece makes a new one, and takes away the one that no kept state can name any more.
 */
export class S3Uploads {
  private readonly undecided = new LRUCache<string, true>({ max: MAX_UNDECIDED });

  constructor(
    private readonly bucket: S3Bucket,
    private readonly partBytes: number,
  ) {}

  writer(parts: Parts): MultipartWriter {
    return new MultipartWriter(this.bucket, { partBytes: this.partBytes, undecided: this.undecided }, parts);
  }

  async append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
    const state = expectOwn(upload);
    const writer = await this.resume(state, state.key);
    try {
      const { bytes, interrupted } = await takeAll(source, maxBytes - upload.size, chunk => writer.take(chunk));
      const cause = interrupted && { interrupted: interrupted.cause };
      if (bytes === 0) return { upload, ...cause };
      const tail = await this.putTail(await writer.rest());
      if (state.before) await this.bucket.remove(tailKey(state.before));
      const next: S3Upload = { ...writer.parts, tail, ...(state.tail && { before: state.tail }) };
      return { upload: { size: upload.size + bytes, algorithm: upload.algorithm, state: { ...next } }, ...cause };
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** Nothing was hashed on the way, since any process may have taken any piece: what is read back is what is proven. */
  async finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob> {
    const state = expectOwn(upload);
    // Who puts a small object anew gives it a key of its own; parts lie where they lie.
    const objectKey = state.uploadId === undefined ? ulid().toLowerCase() : state.key;
    const writer = await this.resume(state, objectKey);
    await writer.complete(upload.size);
    try {
      const blob = await this.prove(objectKey, upload.size, digest);
      await this.removeTails(state);
      return blob;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_DIGEST_MISMATCH') {
        await this.bucket.remove(blobKey(objectKey));
        await this.removeTails(state);
      }
      throw error;
    }
  }

  async discard(upload: PartialUpload): Promise<void> {
    const state = s3UploadOf(upload);
    if (!state) return;
    if (state.uploadId !== undefined) await this.bucket.abort({ key: blobKey(state.key), uploadId: state.uploadId });
    await this.removeTails(state);
  }

  /** Reads an object back. @throws DomainError ERR_PACK_DIGEST_MISMATCH; ERR_PACK_UNAVAILABLE when the store lost what it had taken */
  async prove(objectKey: string, size: number, digest: Digest): Promise<StoredBlob> {
    const proof = new RunningProof(digestAlgorithm(digest));
    const object = { key: blobKey(objectKey), size };
    try {
      if (size === 0 && (await sizeOrAbsent(this.bucket, object.key)) !== 0) throw new ObjectDamaged('not there, or not empty');
      for await (const block of blocksOf(this.bucket, object, 0, Math.ceil(size / BLOCK_BYTES) - 1)) proof.add(block);
    } catch (error) {
      throw error instanceof ObjectDamaged ? unavailable(error) : error;
    }
    return { ...proof.conclude(digest), objectKey };
  }

  private async resume(state: S3Upload, key: string): Promise<MultipartWriter> {
    const writer = this.writer({ key, etags: state.etags, ...(state.uploadId !== undefined && { uploadId: state.uploadId }) });
    if (state.tail) await writer.take(await this.readTail(state.tail));
    return writer;
  }

  private async readTail(tail: Tail): Promise<Buffer> {
    const blocks: Buffer[] = [];
    try {
      const object = { key: tailKey(tail), size: tail.size };
      for await (const block of blocksOf(this.bucket, object, 0, Math.ceil(tail.size / BLOCK_BYTES) - 1)) blocks.push(block);
    } catch (error) {
      throw isAbsence(error) || error instanceof ObjectDamaged ? lostUpload(error) : error;
    }
    return Buffer.concat(blocks);
  }

  private async putTail(bytes: Buffer): Promise<Tail> {
    const tail = { key: ulid().toLowerCase(), size: bytes.length };
    await this.bucket.put(tailKey(tail), bytes);
    return tail;
  }

  private async removeTails({ tail, before }: S3Upload): Promise<void> {
    for (const one of [tail, before]) if (one) await this.bucket.remove(tailKey(one));
  }
}

function expectOwn(upload: PartialUpload): S3Upload {
  const state = s3UploadOf(upload);
  if (!state) throw lostUpload();
  return state;
}

function tailKey({ key }: Tail): string {
  return `uploads/${key}`;
}
