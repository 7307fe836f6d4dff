import { Readable } from 'node:stream';
import { digestAlgorithm, digestHex, DomainError, MEDIA_TYPES, type Digest } from '@packs/domain';
import { corruptReads, type Logger } from '@packs/observability';
import { requireSound, type BlobStore, type ByteRange, type ServableVersion, type StoredBlob } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseRange } from './byte-range';

/** Content under a digest never changes; whether the caller may have it is asked anew each time. */
export const CACHE_CONTROL = 'private, no-cache';

/** Sends bundles: conditional requests, one range, and the digest the bytes must have (RFC 9110, RFC 9530). */
export class BundleSender {
  constructor(
    private readonly blobs: BlobStore,
    private readonly logger: Logger,
  ) {}

  send(version: ServableVersion, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { bundle, view } = version;
    void reply.header('stella-manifest-digest', view.manifestDigest);
    return this.sendBlob(bundle, { mediaType: MEDIA_TYPES.packBundle, fileName: `${view.packId}-${view.version}.tar.gz` }, request, reply);
  }

  /** Sends any blob that the caller has been found to be allowed to have. */
  sendBlob(
    blob: StoredBlob,
    as: { readonly mediaType: string; readonly fileName?: string },
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    requireSound(blob);
    const etag = `"${blob.digest}"`;
    void reply.headers({ etag, 'cache-control': CACHE_CONTROL, 'accept-ranges': 'bytes', 'repr-digest': reprDigest(blob.digest) });
    if (matches(request.headers['if-none-match'], etag)) return reply.status(304).send();
    void reply.header('content-type', as.mediaType);
    if (as.fileName !== undefined) void reply.header('content-disposition', `attachment; filename="${as.fileName}"`);
    const range = this.rangeFor(request, reply, etag, blob.size);
    const length = range ? range.end - range.start + 1 : blob.size;
    void reply.header('content-length', length).status(range ? 206 : 200);
    if (range) void reply.header('content-range', `bytes ${range.start}-${range.end}/${blob.size}`);
    // For HEAD the server would put the length of any other empty payload in place of the blob's.
    return reply.send(request.method === 'HEAD' ? Readable.from([]) : this.open(blob, range));
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

  private open(bundle: StoredBlob, range: ByteRange | undefined): Readable {
    const stream = Readable.from(this.blobs.read(bundle, range), { objectMode: false, highWaterMark: 1024 * 1024 });
    stream.on('error', error => {
      if (!(error instanceof DomainError)) return;
      if (error.code === 'ERR_PACK_UNAVAILABLE') {
        this.logger.warn({ err: error, digest: bundle.digest }, 'the blob store failed; the download was cut');
        return;
      }
      corruptReads.inc();
      this.logger.error({ err: error, digest: bundle.digest }, 'stored bytes are damaged; the download was cut');
    });
    return stream;
  }
}

export function reprDigest(digest: Digest): string {
  return `${digestAlgorithm(digest) === 'sha512' ? 'sha-512' : 'sha-256'}=:${Buffer.from(digestHex(digest), 'hex').toString('base64')}:`;
}

/** Whether an If-None-Match header names the entity. */
export function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some(candidate => ['*', etag, `W/${etag}`].includes(candidate.trim()));
}
