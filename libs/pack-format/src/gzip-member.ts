import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { badBundle } from './bundle-limits';

/** RFC 1952 header of every bundle we build: no flags, no time, best compression, unknown system. */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff]);

export function gzipTrailer(crc: number, length: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  return trailer;
}

const TRAILER = 8;
const HEADER_MAX = 4096;

/**
 * Inflates exactly one gzip member and refuses anything behind it; zlib's own gunzip goes on to further members and drops what is none.
 * Reads no more of `source` than its consumer takes out; leaving the loop stops it.
 * @throws DomainError ERR_PACK_BUNDLE_INVALID; errors of `source` and the reason of `signal` pass unchanged
 */
export async function* inflateGzipMember(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  signal?.throwIfAborted();
  const inflate = createInflateRaw({ chunkSize: 64 * 1024 });
  const abort = (): void => void inflate.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  const member = new GzipMember(inflate);
  const fed = member.feed(source);
  fed.catch((error: Error) => inflate.destroy(error));
  let crc = 0;
  let length = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      crc = crc32(chunk, crc);
      length += chunk.length;
      yield chunk;
    }
    await fed;
    member.finish(crc, length);
  } catch (error) {
    signal?.throwIfAborted();
    throw isZlibError(error) ? badBundle('the bundle is not a whole gzip file', error) : error;
  } finally {
    signal?.removeEventListener('abort', abort);
    member.abandon();
  }
}

class GzipMember {
  private head: Buffer | undefined = Buffer.alloc(0);
  private tail = Buffer.alloc(0);
  private bodyLength = 0;
  private abandoned = false;
  private readonly closed: Promise<unknown>;

  constructor(private readonly inflate: InflateRaw) {
    this.closed = new Promise(resolve => inflate.once('close', resolve));
  }

  async feed(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of source) {
      const body = this.skipHeader(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      if (!body || body.length === 0) continue;
      this.bodyLength += body.length;
      this.tail = Buffer.concat([this.tail, body.subarray(-TRAILER)]).subarray(-TRAILER);
      if (this.inflate.destroyed) this.refuseSurplus();
      // The callback of a write is never called when the stream ends inside it.
      else await Promise.race([new Promise(resolve => this.inflate.write(body, resolve)), this.closed]);
      if (this.abandoned) return;
    }
    if (this.head) throw badBundle('the bundle is not a gzip file');
    this.inflate.end();
  }

  finish(crc: number, length: number): void {
    this.refuseSurplus();
    if (this.bodyLength - this.inflate.bytesWritten < TRAILER) throw badBundle('the bundle ends within its gzip trailer');
    if (!this.tail.equals(gzipTrailer(crc, length))) throw badBundle('the gzip checksum does not match the content');
  }

  abandon(): void {
    this.abandoned = true;
    this.inflate.destroy();
  }

  private refuseSurplus(): void {
    if (this.bodyLength - this.inflate.bytesWritten > TRAILER) throw badBundle('there is data behind the end of the gzip stream');
  }

  /** @returns what of the bytes received so far lies behind the header and was not returned before; undefined within the header */
  private skipHeader(piece: Buffer): Buffer | undefined {
    if (!this.head) return piece;
    this.head = Buffer.concat([this.head, piece]);
    const length = headerLength(this.head);
    if (length === undefined) return undefined;
    const body = this.head.subarray(length);
    this.head = undefined;
    return body;
  }
}

/** RFC 1952 §2.3; undefined when `bytes` end within the header. */
function headerLength(bytes: Buffer): number | undefined {
  const magic = GZIP_HEADER.subarray(0, Math.min(3, bytes.length));
  if (!bytes.subarray(0, 3).equals(magic)) throw badBundle('the bundle is not a gzip file');
  const flags = bytes[3];
  if (flags === undefined || bytes.length < 10) return undefined;
  if (flags & 0xe0) throw badBundle('the gzip header has reserved flags');
  let at = 10;
  if (flags & 4) at += 2 + (bytes.length >= at + 2 ? bytes.readUInt16LE(at) : 0);
  for (const bit of [8, 16]) {
    if (!(flags & bit)) continue;
    const end = bytes.indexOf(0, at);
    at = end < 0 ? bytes.length + 1 : end + 1;
  }
  if (flags & 2) at += 2;
  if (at > HEADER_MAX || (at > bytes.length && bytes.length > HEADER_MAX)) throw badBundle('the gzip header is too long');
  return at <= bytes.length ? at : undefined;
}

function isZlibError(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}
