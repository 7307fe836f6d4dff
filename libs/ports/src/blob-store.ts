import type { Digest, DigestAlgorithm } from '@packs/domain';

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
  /** Refused with ERR_PACK_DIGEST_MISMATCH when the bytes hash to something else. Its algorithm is used; sha256 without it. */
  readonly digest?: Digest;
}

/**
 * Bytes of an upload that goes on over several calls, in any process that shares the store. Plain JSON: whoever keeps it, keeps the upload.
 * Bytes that an earlier call wrote beyond `size` and did not live to report are written over.
 */
export interface PartialUpload {
  readonly size: number;
  /** What `finish` expects the digest to be made with; another costs one more reading of the bytes. */
  readonly algorithm: DigestAlgorithm;
  /** The store's own: where the bytes lie so far. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** What became of one piece of an upload. */
export interface AppendedUpload {
  readonly upload: PartialUpload;
  /** Why the source ended before its end: what had arrived by then is part of `upload`. */
  readonly interrupted?: unknown;
}

/**
 * Bytes that come by themselves in thousands of pieces, such as the body of a request. A piece is looked at where it arrives, and no promise is made
 * for it unless it has to be waited for.
 */
export interface PouringSource {
  /** Gives every piece to `take` until there are no more; the next only when what `take` returned has resolved. Fails as the source or `take` does. */
  pour(take: (piece: Uint8Array) => Promise<void> | undefined): Promise<void>;
}

export type ByteSource = AsyncIterable<Uint8Array> | PouringSource;

export function isPouring(source: ByteSource): source is PouringSource {
  return 'pour' in source;
}

/** Who is lent one block after another. */
export interface BlockReceiver {
  /** Resolves when the block is needed no more: its memory is then filled with other bytes. */
  take(block: Uint8Array): Promise<void>;
  /** Others wait for the memory it has had for too long, which may be said more than once: what `take` returned has to fail soon, and the block is not to be looked at any more. */
  cut(): void;
}

/** Bytes by object key. Which digest lies under which key is recorded elsewhere, so that a key is never reused. */
export abstract class BlobStore {
  /**
   * Streams `source` to stable storage. Until this resolves nothing can be read; if it rejects nothing is left.
   * @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_DIGEST_MISMATCH
   */
  abstract write(source: ByteSource, expect: WriteExpectation): Promise<StoredBlob>;

  /**
   * As `write`, of bytes that are in memory.
   * @throws DomainError ERR_PACK_DIGEST_MISMATCH
   */
  writeBytes(bytes: Uint8Array, digest?: Digest): Promise<StoredBlob> {
    return this.write(
      (async function* () {
        yield bytes;
      })(),
      { maxBytes: bytes.length, ...(digest && { digest }) },
    );
  }

  /**
   * Reads a small blob whole, to be proven by the reader.
   * @throws DomainError ERR_PACK_CORRUPT when it is missing or of another size
   */
  async readBytes(blob: BlobRef): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.read(blob)) parts.push(part);
    return Buffer.concat(parts);
  }

  /**
   * Reads the bytes, or a part. With `blockChecksums` every block is checked before a byte of it is handed on.
   * @throws DomainError ERR_PACK_CORRUPT when bytes are missing or differ from those proven
   */
  abstract read(blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): AsyncIterable<Uint8Array>;

  /**
   * As `read`, in memory that is used again: each block is the receiver's until what its `take` returned has ended.
   * @throws whatever `take` does
   */
  async deliver(blob: BlobRef & Partial<StoredBlob>, receiver: BlockReceiver, range?: ByteRange): Promise<void> {
    for await (const block of this.read(blob, range)) await receiver.take(block);
  }

  /** Said by a reader that hashed what it read and got another digest. */
  damaged(_blob: BlobRef): void {}

  /** Begins an upload whose bytes arrive in pieces. Nothing of it can be read before `finish`. */
  abstract begin(algorithm: DigestAlgorithm): Promise<PartialUpload>;

  /**
   * Streams one more piece behind `upload.size`. Only one caller at a time may hold an upload. What arrived before the source failed is kept;
   * it need not survive a power cut before `finish`, which then fails.
   * @param maxBytes of the whole upload
   * @throws DomainError ERR_PACK_TOO_LARGE; ERR_PACK_NOT_FOUND when what was written before is gone. The upload is then as it was.
   */
  abstract append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload>;

  /**
   * Makes the pieces one blob on stable storage, proven to hash to `digest`.
   * @throws DomainError ERR_PACK_DIGEST_MISMATCH, and the upload is gone; ERR_PACK_NOT_FOUND when what was written before is gone
   */
  abstract finish(upload: PartialUpload, digest: Digest): Promise<StoredBlob>;

  /** Ends an upload without a blob. Absent is success. */
  abstract discard(upload: PartialUpload): Promise<void>;

  /**
   * Where anybody may get the bytes for so many seconds without this store in between, and so without its checks. Undefined when there is no
   * such place.
   */
  async redirect(_blob: BlobRef, _seconds: number): Promise<URL | undefined> {
    return undefined;
  }

  /** Removes an object that no record names. Absent is success. */
  abstract remove(objectKey: string): Promise<void>;

  /** Resolves when the store can be written to. */
  abstract check(): Promise<void>;
}
