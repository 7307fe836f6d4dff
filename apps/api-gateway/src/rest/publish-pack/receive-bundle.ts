import type { PublishPackRequest } from '@packs/contracts';
import { DomainError, MEDIA_TYPES, SIGNATURE_MEDIA_TYPES, type Digest, type SignatureMediaType } from '@packs/domain';
import type { BlobRef, BlobStore, ContentCatalog, StoredBlob } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import '@fastify/multipart';
import { recordBlobs } from '../../storing/record-blobs';

const MAX_SIGNATURES = 8;
export const SIGNATURE_MAX_BYTES = 256 * 1024;

/** What a publish sends, on stable storage and recorded. */
export interface ReceivedBundle {
  readonly bundle: BlobRef;
  /** The OCI manifest it came with. */
  readonly artifact?: PublishPackRequest['artifact'];
  readonly signatures: PublishPackRequest['signatures'];
}

export interface SignatureDocument {
  readonly mediaType: SignatureMediaType;
  readonly content: Buffer;
}

/** Streams the bodies of publishes into the blob store while hashing them: memory does not grow with the bundle. */
export class BundleReceiver {
  constructor(
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    readonly maxBundleBytes: number,
  ) {}

  /** @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_DIGEST_MISMATCH, ERR_PACK_REQUEST_INVALID naming the part */
  async receive(request: FastifyRequest, digest: Digest | undefined): Promise<ReceivedBundle> {
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === 'multipart/form-data') return this.receiveParts(request, digest);
    if (type === MEDIA_TYPES.packBundle || type === 'application/gzip') {
      return this.store(request.body as AsyncIterable<Uint8Array>, signatureOfHeaders(request), digest);
    }
    throw invalid('Content-Type', `must be multipart/form-data or ${MEDIA_TYPES.packBundle}`);
  }

  async store(
    source: AsyncIterable<Uint8Array>,
    signatures: readonly SignatureDocument[],
    digest: Digest | undefined,
  ): Promise<ReceivedBundle> {
    // Signatures are here before the bundle has arrived.
    return this.record(this.blobs.write(source, { maxBytes: this.maxBundleBytes, digest }), signatures);
  }

  private async receiveParts(request: FastifyRequest, digest: Digest | undefined): Promise<ReceivedBundle> {
    const signatures: SignatureDocument[] = [];
    let bundle: StoredBlob | undefined;
    try {
      for await (const part of request.parts({ limits: { parts: MAX_SIGNATURES + 2, files: MAX_SIGNATURES + 2, fileSize: Infinity } })) {
        if (part.type !== 'file') throw invalid(part.fieldname, 'is not a part of a publish');
        if (part.fieldname === 'signature') {
          if (signatures.length === MAX_SIGNATURES) throw invalid('signature', `at most ${MAX_SIGNATURES} signatures`);
          signatures.push({ mediaType: signatureType(part.mimetype), content: await readSmall(part.file) });
        } else if (part.fieldname === 'bundle' && !bundle) {
          bundle = await this.blobs.write(part.file, { maxBytes: this.maxBundleBytes, digest });
        } else {
          throw invalid(part.fieldname, part.fieldname === 'bundle' ? 'is given twice' : 'is not a part of a publish');
        }
      }
    } catch (error) {
      // It is on no record, so nobody else would ever clear it away.
      if (bundle) await this.blobs.remove(bundle.objectKey);
      throw error;
    }
    if (!bundle) throw invalid('bundle', 'is missing');
    return this.record(Promise.resolve(bundle), signatures);
  }

  private async record(bundle: Promise<StoredBlob>, documents: readonly SignatureDocument[]): Promise<ReceivedBundle> {
    const written = await this.allWritten([bundle, ...documents.map(({ content }) => this.blobs.writeBytes(content))]);
    const recorded = await recordBlobs(this.blobs, this.catalog, written);
    const [first, ...rest] = recorded.map(({ digest, size, objectKey }) => ({ digest, size, objectKey }));
    return {
      bundle: first ?? (await bundle),
      signatures: rest.map((blob, at) => ({ ...blob, mediaType: documents[at]?.mediaType ?? MEDIA_TYPES.sigstoreBundle })),
    };
  }

  /** What was written beside something that failed is on no record, so nobody else would ever clear it away. */
  private async allWritten(writes: readonly Promise<StoredBlob>[]): Promise<StoredBlob[]> {
    const outcomes = await Promise.allSettled(writes);
    const written = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? outcome.value : []));
    const failed = outcomes.find(outcome => outcome.status === 'rejected');
    if (!failed) return written;
    await Promise.all(written.map(({ objectKey }) => this.blobs.remove(objectKey)));
    throw failed.reason;
  }
}

function signatureOfHeaders(request: FastifyRequest): SignatureDocument[] {
  const header = request.headers['stella-signature'];
  if (header === undefined) return [];
  const content = Buffer.from(String(header), 'base64');
  if (content.length === 0 || content.toString('base64') !== header) throw invalid('Stella-Signature', 'must be base64');
  return [{ mediaType: signatureType(String(request.headers['stella-signature-type'] ?? MEDIA_TYPES.sigstoreBundle)), content }];
}

/** Tools that do not know a signature's own type send a generic one: what they mean is a sigstore bundle. */
function signatureType(mediaType: string): SignatureMediaType {
  if (mediaType === 'application/json' || mediaType === 'application/octet-stream') return MEDIA_TYPES.sigstoreBundle;
  const known = SIGNATURE_MEDIA_TYPES.find(one => one === mediaType);
  if (!known) throw invalid('signature', `its type must be one of ${SIGNATURE_MEDIA_TYPES.join(', ')}`);
  return known;
}

async function readSmall(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    size += part.length;
    if (size > SIGNATURE_MAX_BYTES) throw new DomainError('ERR_PACK_TOO_LARGE', `a signature may have ${SIGNATURE_MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}
