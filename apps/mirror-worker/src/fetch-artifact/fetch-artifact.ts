import type { FetchArtifactReply, FetchArtifactRequest } from '@packs/contracts';
import {
  DomainError,
  isDigest,
  MEDIA_TYPES,
  requireUnsealed,
  SIGNATURE_MEDIA_TYPES,
  type Descriptor,
  type SignatureMediaType,
} from '@packs/domain';
import type { SealOf } from '@packs/oci-layout';
import type {
  BlobRef,
  BlobStore,
  ContentCatalog,
  RemoteManifest,
  RemoteReferrer,
  RemoteRegistries,
  RemoteRepository,
  StoredBlob,
} from '@packs/ports';
import { invalidReference, parseArtifactReference } from './artifact-reference';

const SIGNATURES_MAX = 8;
const SIGNATURE_MAX_BYTES = 256 * 1024;
/** What an attestation is told from a signature by, where both come in the same envelope. */
const PREDICATE_ANNOTATIONS = ['dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type'];

/** Pulls a pack and its signatures from a registry of the list. What it is worth is for who publishes it to judge. */
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
    const bundle = bundleOf(manifest);
    if (bundle.size > maxBundleBytes)
      throw new DomainError('ERR_PACK_TOO_LARGE', `the bundle has ${bundle.size} bytes; at most ${maxBundleBytes} are taken`);
    const signatures = await signaturesOf(repository, manifest);
    const [first, ...rest] = await this.store(repository, [bundle, ...signatures]);
    if (!first) throw new Error('nothing was stored');
    return {
      manifestDigest: manifest.digest,
      bundle: refOf(first),
      signatures: rest.map((blob, at) => ({ ...refOf(blob), mediaType: signatures[at]?.mediaType ?? MEDIA_TYPES.sigstoreBundle })),
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
  private async store(repository: RemoteRepository, wanted: readonly Descriptor[]): Promise<StoredBlob[]> {
    const written: StoredBlob[] = [];
    try {
      for (const blob of wanted)
        written.push(await this.blobs.write(repository.readBlob(blob), { maxBytes: blob.size, digest: blob.digest }));
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

function bundleOf(manifest: RemoteManifest): Descriptor {
  const { artifactType, layers } = parse(manifest);
  const [bundle, ...more] = layers;
  if (artifactType === MEDIA_TYPES.pack && bundle?.mediaType === MEDIA_TYPES.packBundle && more.length === 0) return bundle;
  throw new DomainError('ERR_OCI_MANIFEST_INVALID', 'the reference names no pack', {
    errors: [{ field: 'reference', message: 'names no pack' }],
  });
}

/** The documents of the signatures that refer to a manifest; what else refers to it is left where it is. */
async function signaturesOf(
  repository: RemoteRepository,
  { digest }: RemoteManifest,
): Promise<(Descriptor & { mediaType: SignatureMediaType })[]> {
  const found: (Descriptor & { mediaType: SignatureMediaType })[] = [];
  for (const referrer of await repository.referrers(digest)) {
    if (!isSignature(referrer) || found.length === SIGNATURES_MAX) continue;
    const manifest = await repository.manifest(referrer.digest);
    const [document, ...more] = manifest ? parse(manifest).layers : [];
    const mediaType = SIGNATURE_MEDIA_TYPES.find(one => one === document?.mediaType);
    if (document && mediaType && more.length === 0 && document.size <= SIGNATURE_MAX_BYTES) found.push({ ...document, mediaType });
  }
  return found;
}

function isSignature({ artifactType, annotations }: RemoteReferrer): boolean {
  return SIGNATURE_MEDIA_TYPES.some(one => one === artifactType) && !PREDICATE_ANNOTATIONS.some(name => name in annotations);
}

function parse({ bytes }: RemoteManifest): { readonly artifactType: unknown; readonly layers: readonly Descriptor[] } {
  try {
    const { artifactType, layers } = JSON.parse(bytes.toString('utf8')) as { artifactType?: unknown; layers?: unknown };
    return { artifactType, layers: Array.isArray(layers) ? layers.filter(isDescriptor) : [] };
  } catch {
    return { artifactType: undefined, layers: [] };
  }
}

function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof mediaType === 'string' && isDigest(digest) && Number.isSafeInteger(size) && Number(size) >= 0;
}

function refOf({ digest, size, objectKey }: BlobRef): BlobRef {
  return { digest, size, objectKey };
}
