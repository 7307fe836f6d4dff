import { Readable } from 'node:stream';
import { digestAlgorithm, digestHex, DomainError, MEDIA_TYPES, type Digest } from '@packs/domain';
import { corruptReads, type Logger } from '@packs/observability';
import { requireSound, type BlobStore, type ByteRange, type ServableVersion, type StoredBlob } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BlockAnswer, ClientGone } from './block-answer';
import { parseRange } from './byte-range';

/** Content under a digest never changes; whether the caller may have it is asked anew each time. */
export const CACHE_CONTROL = 'private, no-cache';

/** Up to so many bytes are sent as one piece with their head. */
const SMALL_BYTES = 64 * 1024;

/** Sends bundles: conditional requests, one range, and the digest the bytes must have (RFC 9110, RFC 9530). */
export class BundleSender {
  constructor(
    private readonly blobs: BlobStore,
    private readonly logger: Logger,
  ) {}

  async send(version: ServableVersion, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { bundle, view } = version;
    void reply.header('stella-manifest-digest', view.manifestDigest);
    return this.sendBlob(bundle, { mediaType: MEDIA_TYPES.packBundle, fileName: `${view.packId}-${view.version}.tar.gz` }, request, reply);
  }

  /** Sends any blob that the caller has been found to be allowed to have. */
  async sendBlob(
    blob: StoredBlob,
    as: { readonly mediaType: string; readonly fileName?: string },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    requireSound(blob);
    const etag = `"${blob.digest}"`;
    const known = { etag, 'cache-control': CACHE_CONTROL, 'accept-ranges': 'bytes', 'repr-digest': reprDigest(blob.digest) };
    if (matches(request.headers['if-none-match'], etag)) return reply.status(304).headers(known).send();
    const range = this.rangeFor(request, reply, etag, blob.size);
    const length = range ? range.end - range.start + 1 : blob.size;
    const headers = {
      ...known,
      'content-type': as.mediaType,
      ...(as.fileName !== undefined && { 'content-disposition': `attachment; filename="${as.fileName}"` }),
      ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${blob.size}` }),
    };
    const status = range ? 206 : 200;
    // For HEAD the server would put the length of any other empty payload in place of the blob's.
    if (request.method === 'HEAD') {
      return reply.status(status).headers(headers).header('content-length', length).send(Readable.from([]));
    }
    if (length > SMALL_BYTES) return this.stream(blob, range, new BlockAnswer(reply, { status, length, headers }));
    const bytes = await this.readSmall(blob, range);
    return reply.status(status).headers(headers).send(bytes);
  }

  private async readSmall(blob: StoredBlob, range: ByteRange | undefined): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    try {
      for await (const part of this.blobs.read(blob, range)) parts.push(part);
    } catch (error) {
      this.note(blob, error, false);
      throw error;
    }
    return Buffer.concat(parts);
  }

  /** @throws what is wrong with the first block; what is wrong with a later one cuts the connection */
  private async stream(blob: StoredBlob, range: ByteRange | undefined, answer: BlockAnswer): Promise<void> {
    try {
      await answer.turn();
      await this.blobs.deliver(blob, answer, range);
    } catch (error) {
      this.note(blob, error, answer.isBegun);
      if (!answer.isBegun && !(error instanceof ClientGone)) throw error;
      if (answer.isCut)
        this.logger.info(
          { digest: blob.digest },
          'a client took too long for a block of its download while others waited for memory; it was cut',
        );
      else answer.cut();
    } finally {
      answer.close();
    }
  }

  /** Ranges are defined for GET alone (RFC 9110 §14.2). */
  private rangeFor(request: FastifyRequest, reply: FastifyReply, etag: string, size: number): ByteRange | undefined {
    if (request.method !== 'GET') return undefined;
    const condition = request.headers['if-range'];
    if (condition !== undefined && condition !== etag) return undefined;
    try {
      return parseRange(request.headers.range, size);
    } catch (error) {
      void reply.header('content-range', `bytes */${size}`);
      throw error;
    }
  }

  private note(blob: StoredBlob, error: unknown, isBegun: boolean): void {
    if (!(error instanceof DomainError)) return;
    const end = isBegun ? 'the download was cut' : 'none of it was sent';
    if (error.code === 'ERR_PACK_UNAVAILABLE') {
      this.logger.warn({ err: error, digest: blob.digest }, `the blob store failed; ${end}`);
      return;
    }
    corruptReads.inc();
    this.logger.error({ err: error, digest: blob.digest }, `stored bytes are damaged; ${end}`);
  }
}

export function reprDigest(digest: Digest): string {
  return `${digestAlgorithm(digest) === 'sha512' ? 'sha-512' : 'sha-256'}=:${Buffer.from(digestHex(digest), 'hex').toString('base64')}:`;
}

/** Whether an If-None-Match header names the entity. */
export function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some(candidate => ['*', etag, `W/${etag}`].includes(candidate.trim()));
}
