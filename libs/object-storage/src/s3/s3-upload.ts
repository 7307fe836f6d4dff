import type { PartialUpload } from '@packs/ports';

/** A small object with the bytes behind the last whole part. */
export interface Tail {
  readonly key: string;
  readonly size: number;
}

/** Where the bytes of an upload lie. */
export interface S3Upload {
  /** Of the object that whole parts go to, and none but this upload's. */
  readonly key: string;
  /** Since the first whole part. */
  readonly uploadId?: string;
  /** By which the store names its parts, in their order. */
  readonly etags: readonly string[];
  /** Absent only while nothing was uploaded. */
  readonly tail?: Tail;
  /** The tail before this one: what an upload goes on from whose last state was not kept. */
  readonly before?: Tail;
}

const KEY = /^[0-9a-z]{26}$/;

/** Undefined when another kind of store began the upload. */
export function s3UploadOf({ size, state }: PartialUpload): S3Upload | undefined {
  return isS3Upload(state) && (size === 0 || state.tail) ? state : undefined;
}

function isS3Upload(state: Readonly<Record<string, unknown>>): state is Readonly<Record<string, unknown>> & S3Upload {
  const { key, uploadId, etags, tail, before } = state;
  const hasId = typeof uploadId === 'string' || (uploadId === undefined && Array.isArray(etags) && etags.length === 0);
  return isKey(key) && hasId && Array.isArray(etags) && etags.every(etag => typeof etag === 'string') && isTail(tail) && isTail(before);
}

function isTail(value: unknown): value is Tail | undefined {
  const { key, size } = (value ?? {}) as Partial<Tail>;
  return value === undefined || (isKey(key) && Number.isSafeInteger(size));
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}
