import { DomainError } from '@packs/domain';
import type { LRUCache } from 'lru-cache';
import { lostUpload } from '../lost-upload';
import { PartCollector } from './part-collector';
import { isAbsence, isPassing, unavailable, type Multipart, type S3Bucket } from './s3-bucket';

/** S3's own limit. */
const MAX_PARTS = 10_000;

/** Where a writer begins, and what it has got to. */
export interface Parts {
  readonly key: string;
  readonly uploadId?: string;
  readonly etags: readonly string[];
}

export interface WriterOptions {
  readonly partBytes: number;
  /** Keys of objects whose completion was asked for without an answer. */
  readonly undecided: LRUCache<string, true>;
}

/** Bytes on their way to one object: by a single put when they are one part or less. */
export class MultipartWriter {
  private readonly collector: PartCollector;
  private readonly etags: string[];
  private uploadId: string | undefined;
  private isBegunHere = false;

  constructor(
    private readonly bucket: S3Bucket,
    private readonly options: WriterOptions,
    private readonly from: Parts,
  ) {
    this.etags = [...from.etags];
    this.uploadId = from.uploadId;
    this.collector = new PartCollector(options.partBytes, part => this.putPart(part));
  }

  get parts(): Parts {
    return { key: this.from.key, etags: this.etags, ...(this.uploadId !== undefined && { uploadId: this.uploadId }) };
  }

  take(chunk: Uint8Array): Promise<void> {
    return this.collector.take(chunk);
  }

  /** What is behind the last whole part. */
  rest(): Promise<Buffer> {
    return this.collector.rest();
  }

  /**
   * Makes all bytes the object.
   * @param size of them all
   * @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_UNAVAILABLE
   */
  async complete(size: number): Promise<void> {
    const rest = await this.rest();
    if (this.uploadId === undefined) return this.bucket.put(blobKey(this.from.key), rest);
    await this.putPart(rest);
    await this.decide({ key: blobKey(this.from.key), uploadId: this.uploadId }, size);
  }

  /** Leaves nothing of what was begun here. What cannot be removed now is left to the bucket's lifecycle rule. */
  async abandon(): Promise<void> {
    await this.collector.settle();
    if (this.isBegunHere && this.uploadId !== undefined) {
      await this.bucket.abort({ key: blobKey(this.from.key), uploadId: this.uploadId }).catch(() => undefined);
    }
  }

  private async putPart(part: Buffer): Promise<void> {
    if (this.etags.length === MAX_PARTS) {
      throw new DomainError('ERR_PACK_TOO_LARGE', `more than ${MAX_PARTS} parts of ${this.options.partBytes} bytes`);
    }
    const multipart = await this.begun();
    const etag = await this.bucket.putPart(multipart, this.etags.length + 1, part).catch(async (error: unknown) => {
      throw isAbsence(error) || !(await this.bucket.takesParts(multipart)) ? lostUpload(error) : error;
    });
    this.etags.push(etag);
  }

  private async begun(): Promise<Multipart> {
    const key = blobKey(this.from.key);
    if (this.uploadId === undefined) {
      this.uploadId = (await this.bucket.begin(key)).uploadId;
      this.isBegunHere = true;
    }
    return { key, uploadId: this.uploadId };
  }

  /** An answer may be lost, or an error, after the object was made: then it is there, and only the one who asked before may take it for its own. */
  private async decide(multipart: Multipart, size: number): Promise<void> {
    for (let failed = 0; ; failed++) {
      try {
        return await this.bucket.complete(multipart, this.etags);
      } catch (error) {
        if (!isAbsence(error)) this.options.undecided.set(multipart.key, true);
        const isLast = isAbsence(error) || !isPassing(error) || failed + 1 >= this.bucket.attempts;
        if (!isLast) await this.bucket.backOff(failed);
        else if (this.options.undecided.has(multipart.key) && (await this.isThere(multipart.key, size))) return;
        else throw isAbsence(error) ? lostUpload(error) : unavailable(error);
      }
    }
  }

  private async isThere(key: string, size: number): Promise<boolean> {
    return (await sizeOrAbsent(this.bucket, key)) === size;
  }
}

export function blobKey(objectKey: string): string {
  return `blobs/${objectKey}`;
}

/** Bytes of an object, undefined when there is none. */
export async function sizeOrAbsent(bucket: S3Bucket, key: string): Promise<number | undefined> {
  try {
    return await bucket.size(key);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
