import type { FetchArtifactReply, FetchArtifactRequest } from '@packs/contracts';
import { DomainError, requireUnsealed, sha256, type Descriptor } from '@packs/domain';
import type { SealOf } from '@packs/oci-layout';
import type { BlobRef, BlobStore, ContentCatalog, RemoteManifest, RemoteRegistries, RemoteRepository, StoredBlob } from '@packs/ports';
import { invalidReference, packOf, parseArtifactReference, signaturesOf } from '@packs/registry-client';
import { encodeSimpleSignature } from '@packs/sigstore';

interface Wanted extends Pick<Descriptor, 'digest' | 'size'> {
  read(): AsyncIterable<Uint8Array>;
}

/** Pulls a pack, its manifest as it is, and its signatures from a registry of the list. What it is worth is for who publishes it to judge. */
export class FetchArtifact {
  constructor(
    private readonly sources: RemoteRegistries,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly sealOf: SealOf,
  ) {}

  /** @throws DomainError ERR_PACK_SEALED, ERR_PACK_REQUEST_INVALID, ERR_PACK_NOT_FOUND, ERR_PACK_TOO_LARGE, ERR_OCI_MANIFEST_INVALID, ERR_REGISTRY_… */
  async execute({ tenant, reference, maxBundleBytes }: FetchArtifactRequest): Promise<FetchArtifactReply> {
    requireUnsealed(await this.sealOf(tenant));
    const { host, repository: name, manifest: wanted } = parseArtifactReference(reference);
    const repository = this.repositoryOf(host, name);
    const manifest = await repository.manifest(wanted);
    if (!manifest) throw new DomainError('ERR_PACK_NOT_FOUND', `there is no manifest at ${reference}`);
    const { config, bundle } = packOf(manifest);
    if (bundle.size > maxBundleBytes)
      throw new DomainError('ERR_PACK_TOO_LARGE', `the bundle has ${bundle.size} bytes; at most ${maxBundleBytes} are taken`);
    const signatures = await signaturesOf(repository, manifest, encodeSimpleSignature);
    const there = (blob: Descriptor): Wanted => ({ digest: blob.digest, size: blob.size, read: () => repository.readBlob(blob) });
    const itself = inHand({ ...manifest, digest: sha256(manifest.bytes) });
    const referrers = signatures.flatMap(({ referrer }) => (referrer ? [inHand(referrer)] : []));
    const stored = await this.store([there(bundle), there(config), itself, ...signatures, ...referrers]);
    const refTo = ({ digest }: Pick<Descriptor, 'digest'>): BlobRef => {
      const found = stored.find(blob => blob.digest === digest);
      if (!found) throw new Error(`${digest} was not stored`);
      return refOf(found);
    };
    return {
      bundle: refTo(bundle),
      artifact: { mediaType: manifest.mediaType, manifest: refTo(itself), config: refTo(config) },
      signatures: signatures.map(({ referrer, ...signature }) => ({
        ...refTo(signature),
        mediaType: signature.mediaType,
        ...(referrer && { referrer: { mediaType: referrer.mediaType, manifest: refTo(referrer) } }),
      })),
    };
  }

  private repositoryOf(host: string, name: string): RemoteRepository {
    try {
      return this.sources.repository(host, name);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'ERR_PACK_REQUEST_INVALID') throw invalidReference(error.message);
      throw error;
    }
  }

  /** All of them, or nothing is left. */
  private async store(wanted: readonly Wanted[]): Promise<StoredBlob[]> {
    const written: StoredBlob[] = [];
    try {
      for (const { digest, size, read } of wanted) written.push(await this.blobs.write(read(), { maxBytes: size, digest }));
    } catch (error) {
      await Promise.all(written.map(({ objectKey }) => this.blobs.remove(objectKey)));
      throw error;
    }
    const recorded = await this.catalog.record(written);
    const kept = new Set(recorded.map(({ objectKey }) => objectKey));
    await Promise.all(written.filter(({ objectKey }) => !kept.has(objectKey)).map(({ objectKey }) => this.blobs.remove(objectKey)));
    return recorded;
  }
}

function inHand({ digest, bytes }: Pick<RemoteManifest, 'digest' | 'bytes'>): Wanted {
  return { digest, size: bytes.length, read: () => once(bytes) };
}

function refOf({ digest, size, objectKey }: BlobRef): BlobRef {
  return { digest, size, objectKey };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
