import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@packs/domain';
import { Client, S3Error } from 'minio';
import { BoundedTransport } from './bounded-transport';
import type { S3Location } from './s3-location';

export interface S3Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** How long an object store may keep us waiting. */
export interface S3Patience {
  /** One request, from its first byte to the last of its answer. */
  readonly deadlineMs: number;
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly backoffMs: number;
}

const PATIENCE: S3Patience = { deadlineMs: 30_000, attempts: 4, backoffMs: 100 };
const MAX_BACKOFF_MS = 2_000;

/** Answers by which an object or an upload is not there. */
const ABSENT = new Set(['NoSuchKey', 'NoSuchUpload', 'NotFound', 'InvalidPart', 'InvalidRange']);
/** Named in an error's body; their status alone would say the same, but a complete answers 200 first. */
const PASSING = new Set([undefined, 'InternalError', 'SlowDown', 'ServiceUnavailable', 'RequestTimeout', 'OperationAborted']);

/** A large object on its way. */
export interface Multipart {
  readonly key: string;
  readonly uploadId: string;
}

/** Plain requests on keys of one bucket. Nothing is listed, nothing copied; whatever is asked twice gives the same. */
export class S3Bucket {
  private readonly client: Client;
  private readonly transport: BoundedTransport;
  private readonly bucket: string;

  constructor(
    private readonly location: S3Location,
    credentials: S3Credentials,
    private readonly patience: S3Patience = PATIENCE,
  ) {
    this.transport = new BoundedTransport(location.tls, patience.deadlineMs);
    this.bucket = location.bucket;
    this.client = new Client({
      endPoint: location.host,
      port: location.port,
      useSSL: location.tls,
      region: location.region,
      ...credentials,
      transport: this.transport.forClient(),
      // Its own retries sleep on the console and lose the status.
      retryOptions: { disableRetry: true },
    });
  }

  /** One attempt: whoever asks, asks again. */
  exists(): Promise<boolean> {
    return this.client.bucketExists(this.bucket);
  }

  put(key: string, bytes: Buffer): Promise<void> {
    return this.patiently(async () => {
      const headers = { 'content-type': 'application/octet-stream' };
      await this.client.makeRequestAsyncOmit({ method: 'PUT', ...this.at(key), headers }, bytes);
    });
  }

  /** One attempt at the bytes from `start` to `end`, both inclusive. What the store answers is told apart by `isAbsence`. */
  async get(key: string, start: number, end: number): Promise<{ body: IncomingMessage; size: number }> {
    const { bucketName, objectName } = this.at(key);
    const body = (await this.client.getPartialObject(bucketName, objectName, start, end - start + 1)) as IncomingMessage;
    const size = /^bytes \d+-\d+\/(\d+)$/.exec(body.headers['content-range'] ?? '')?.[1];
    return { body, size: Number(size ?? body.headers['content-length']) };
  }

  /** Bytes of an object. */
  size(key: string): Promise<number> {
    const { bucketName, objectName } = this.at(key);
    return this.patiently(async () => (await this.client.statObject(bucketName, objectName)).size);
  }

  remove(key: string): Promise<void> {
    const { bucketName, objectName } = this.at(key);
    return this.unlessAbsent(() => this.client.removeObject(bucketName, objectName));
  }

  /** An upload whose answer was lost stays behind: the bucket's lifecycle rule removes it. */
  async begin(key: string): Promise<Multipart> {
    const { bucketName, objectName } = this.at(key);
    return { key, uploadId: await this.patiently(() => this.client.initiateNewMultipartUpload(bucketName, objectName, {})) };
  }

  /**
   * @param part from 1 on
   * @returns what `complete` must name the part by
   */
  putPart({ key, uploadId }: Multipart, part: number, bytes: Buffer): Promise<string> {
    const where = { ...this.at(key), uploadID: uploadId, partNumber: part, headers: {} };
    return this.patiently(async () => (await this.client.uploadPart(where, bytes)).etag);
  }

  /** One attempt: an answer that was lost may have been a yes. */
  async complete({ key, uploadId }: Multipart, etags: readonly string[]): Promise<void> {
    const { bucketName, objectName } = this.at(key);
    const parts = etags.map((etag, index) => ({ part: index + 1, etag }));
    await this.client.completeMultipartUpload(bucketName, objectName, uploadId, parts);
  }

  abort({ key, uploadId }: Multipart): Promise<void> {
    const { bucketName, objectName } = this.at(key);
    return this.unlessAbsent(() => this.client.abortMultipartUpload(bucketName, objectName, uploadId));
  }

  /** Whether parts are still taken. A server may cut the connection on the bytes of a part instead of saying so. */
  async takesParts({ key, uploadId }: Multipart): Promise<boolean> {
    const query = `uploadId=${encodeURIComponent(uploadId)}&max-parts=1`;
    const ask = async (): Promise<true> => {
      await this.client.makeRequestAsyncOmit({ method: 'GET', ...this.at(key), query });
      return true;
    };
    return this.patiently(ask).catch((error: unknown) => {
      if (isAbsence(error)) return false;
      throw error;
    });
  }

  /** An address at which anybody can get the object for so many seconds. */
  async presign(key: string, seconds: number): Promise<URL> {
    const { bucketName, objectName } = this.at(key);
    return new URL(await this.client.presignedGetObject(bucketName, objectName, seconds));
  }

  close(): void {
    this.transport.close();
  }

  /**
   * Tries until the store gives an answer that means something.
   * @throws S3Error such an answer
   * @throws DomainError ERR_PACK_UNAVAILABLE when there is none
   */
  async patiently<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failed = 0; ; failed++) {
      try {
        return await attempt();
      } catch (error) {
        if (isAbsence(error) || error instanceof DomainError) throw error;
        if (!isPassing(error) || failed + 1 >= this.patience.attempts) throw unavailable(error);
        await this.backOff(failed);
      }
    }
  }

  /** @param failed attempts before */
  async backOff(failed: number): Promise<void> {
    const longest = Math.min(MAX_BACKOFF_MS, this.patience.backoffMs * 2 ** failed);
    await delay(longest * (0.5 + Math.random() / 2));
  }

  get attempts(): number {
    return this.patience.attempts;
  }

  private async unlessAbsent(remove: () => Promise<unknown>): Promise<void> {
    await this.patiently(remove).catch((error: unknown) => {
      if (!isAbsence(error)) throw error;
    });
  }

  private at(key: string): { bucketName: string; objectName: string } {
    return { bucketName: this.bucket, objectName: `${this.location.prefix}${key}` };
  }
}

/** Whether the store said that what was asked for is not there. */
export function isAbsence(error: unknown): boolean {
  return error instanceof S3Error && ABSENT.has(error.code ?? '');
}

/** Whether the same request may be answered otherwise a moment later. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof S3Error) || PASSING.has(error.code);
}

export function unavailable(cause: unknown): DomainError {
  return new DomainError('ERR_PACK_UNAVAILABLE', 'the object store does not answer as it should; try again', { retry: 'later', cause });
}
