import { DomainError } from '@packs/domain';
import type { BlobRef, BlobStore, StoredBlob } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import '@fastify/multipart';
import { SIGNATURE_MAX_BYTES } from '../publish-pack/receive-bundle';

const NAMES = ['kit', 'signature'] as const;
type Name = (typeof NAMES)[number];

/**
 * Streams an uploaded kit and its signature to stable storage. They are no content and on no record: they belong to the import, which clears them
 * away.
 */
export class KitReceiver {
  constructor(
    private readonly blobs: BlobStore,
    private readonly maxKitBytes: number,
  ) {}

  /** @throws DomainError ERR_KIT_UNSIGNED, ERR_PACK_TOO_LARGE, ERR_PACK_REQUEST_INVALID naming the part */
  async receive(request: FastifyRequest): Promise<Readonly<Record<Name, BlobRef>>> {
    if (!request.isMultipart()) throw invalid('Content-Type', 'must be multipart/form-data');
    const received = new Map<Name, StoredBlob>();
    try {
      for await (const part of request.parts({ limits: { parts: 2, files: 2, fileSize: Infinity } })) {
        const name = NAMES.find(one => one === part.fieldname);
        if (part.type !== 'file' || !name) throw invalid(part.fieldname, 'is not a part of an import');
        if (received.has(name)) throw invalid(name, 'is given twice');
        received.set(name, await this.blobs.write(part.file, { maxBytes: name === 'kit' ? this.maxKitBytes : SIGNATURE_MAX_BYTES }));
      }
      const [kit, signature] = [received.get('kit'), received.get('signature')];
      if (!kit) throw invalid('kit', 'is missing');
      if (!signature) {
        throw new DomainError('ERR_KIT_UNSIGNED', 'a kit is imported with its signature: <kit>.sigstore.json', {
          errors: [{ field: 'signature', message: 'is missing' }],
        });
      }
      return { kit: refTo(kit), signature: refTo(signature) };
    } catch (error) {
      await this.discard([...received.values()]);
      throw error;
    }
  }

  /** For when nobody takes them over. */
  async discard(blobs: readonly BlobRef[]): Promise<void> {
    for (const { objectKey } of blobs) await this.blobs.remove(objectKey);
  }
}

function refTo({ digest, size, objectKey }: StoredBlob): BlobRef {
  return { digest, size, objectKey };
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}
