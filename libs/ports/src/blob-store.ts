import type { Digest } from '@packs/domain';

/** Proven bytes: they were hashed while they were written and are on stable storage. */
export interface StoredBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Where the bytes lie; a digest that is written again gets another key. */
  readonly objectKey: string;
  /** Base64 of one big-endian CRC-32 per 1 MiB block. */
  readonly blockChecksums: string;
}

/** Enough to find bytes that the reader will hash itself. */
export type BlobRef = Pick<StoredBlob, 'digest' | 'size' | 'objectKey'>;

/** First and last byte, both inclusive (RFC 9110 §14.1.2). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface WriteExpectation {
  /** Refused with ERR_PACK_TOO_LARGE as soon as it is passed. */
  readonly maxBytes: number;
  /** Refused with ERR_PACK_DIGEST_MISMATCH when the bytes hash to something else. */
  readonly digest?: Digest;
}

/** Bytes by object key. Which digest lies under which key is recorded elsewhere, so that a key is never reused. */
export abstract class BlobStore {
  /**
   * Streams `source` to stable storage. Until this resolves nothing can be read; if it rejects nothing is left.
   * @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_DIGEST_MISMATCH
   */
  abstract write(source: AsyncIterable<Uint8Array>, expect: WriteExpectation): Promise<StoredBlob>;

  /**
   * Reads the bytes, or a part. With `blockChecksums` every block is checked before a byte of it is handed on.
   * @throws DomainError ERR_PACK_CORRUPT when bytes are missing or differ from those proven
   */
  abstract read(blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** Removes an object that no record names. Absent is success. */
  abstract remove(objectKey: string): Promise<void>;

  /** Resolves when the store can be written to. */
  abstract check(): Promise<void>;
}
