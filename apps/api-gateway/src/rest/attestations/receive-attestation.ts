import { ATTESTATION_MEDIA_TYPES, DomainError, type AttestationMediaType, type Digest } from '@packs/domain';
import type { BlobRef, BlobStore, ContentCatalog } from '@packs/ports';
import { MAX_ATTESTATION_BYTES } from '@packs/sigstore';
import type { FastifyRequest } from 'fastify';
import { recordBlobs } from '../../storing/record-blobs';

/** Streams attestation documents into the blob store while hashing them. */
export class AttestationReceiver {
  constructor(
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
  ) {}

  /** @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_DIGEST_MISMATCH, ERR_PACK_REQUEST_INVALID for other types */
  async receive(request: FastifyRequest, digest: Digest | undefined): Promise<BlobRef & { mediaType: AttestationMediaType }> {
    const mediaType = mediaTypeOf(request);
    const written = await this.blobs.write(request.body as AsyncIterable<Uint8Array>, { maxBytes: MAX_ATTESTATION_BYTES, digest });
    const [{ size, objectKey } = written] = await recordBlobs(this.blobs, this.catalog, [written]);
    return { digest: written.digest, size, objectKey, mediaType };
  }
}

function mediaTypeOf(request: FastifyRequest): AttestationMediaType {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const known = ATTESTATION_MEDIA_TYPES.find(one => one === type);
  if (known) return known;
  const message = `must be ${ATTESTATION_MEDIA_TYPES.join(' or ')}`;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `Content-Type ${message}`, { errors: [{ field: 'Content-Type', message }] });
}
