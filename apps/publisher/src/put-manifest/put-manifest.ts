import type { PutManifestReply, PutManifestRequest } from '@packs/contracts';
import { DomainError, MANIFEST_MAX_BYTES, MEDIA_TYPES } from '@packs/domain';
import { readWhole, type BlobStore, type Clock, type RegistryUnitOfWork } from '@packs/ports';
import { parseManifest, type ParsedManifest } from './parse-manifest';
import type { PutPack } from './put-pack';
import type { PutReferrer } from './put-referrer';

/** A manifest whose bytes were proven and read. */
export interface ReadManifest {
  readonly bytes: Buffer;
  readonly parsed: ParsedManifest;
}

/** Records a manifest that a client pushed: as generic content, as a version of a pack, or as what refers to one. */
export class PutManifest {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly putPack: PutPack,
    private readonly putReferrer: PutReferrer,
  ) {}

  /**
   * @throws DomainError ERR_OCI_MANIFEST_INVALID, ERR_OCI_MANIFEST_BLOB_UNKNOWN naming the digests, ERR_OCI_REPOSITORY_KIND, ERR_OCI_TAG_PROTECTED,
   * and what a publish and an attestation are refused with
   */
  async execute(request: PutManifestRequest): Promise<PutManifestReply> {
    const bytes = await readWhole(this.blobs, request.manifest, MANIFEST_MAX_BYTES);
    const read = { bytes, parsed: parseManifest(bytes, request.mediaType) };
    if (isPack(read.parsed)) return this.putPack.execute(request, read);
    const kind = await this.putGeneric(request, read.parsed);
    if (kind === 'pack') return this.putReferrer.execute(request, read);
    return { digest: request.manifest.digest, subject: read.parsed.subject?.digest ?? null, state: 'stored', version: null };
  }

  /** In one statement for the most part: many clients push, and each layer of an image has cost them enough. */
  private async putGeneric(
    { tenant, actor, repository, tags, manifest }: PutManifestRequest,
    { mediaType, artifactType, config, layers, children, subject, annotations }: ParsedManifest,
  ): Promise<'pack' | 'generic'> {
    const here = layers.filter(({ isForeign }) => !isForeign);
    const { kind, missing } = await this.unitOfWork.run(tenant, tx =>
      tx.repositories.putGeneric({
        ...{ tenant, repository, tags, actor },
        manifest: { digest: manifest.digest, mediaType, artifactType, subject: subject?.digest ?? null, annotations },
        blobs: [...(config ? [config] : []), ...here].map(({ digest }) => digest),
        foreignBlobs: layers.filter(({ isForeign }) => isForeign).map(({ digest }) => digest),
        children: children.map(({ digest }) => digest),
        at: this.clock.now().toISOString(),
      }),
    );
    if (kind === 'pack') return kind;
    requireAll(missing);
    return 'generic';
  }
}

/** Digests that an answer names. */
const NAMED_MAX = 100;

/** @throws DomainError ERR_OCI_MANIFEST_BLOB_UNKNOWN */
export function requireAll(missing: readonly string[]): void {
  if (missing.length === 0) return;
  const digests = missing.slice(0, NAMED_MAX);
  throw new DomainError('ERR_OCI_MANIFEST_BLOB_UNKNOWN', `the repository has no ${digests.slice(0, 3).join(', ')}`, {
    details: { digests },
    errors: digests.map(digest => ({ field: digest, message: 'is not in the repository' })),
  });
}

/** Any part of a pack makes it one: what is half a pack is neither. */
function isPack({ artifactType, config, layers }: ParsedManifest): boolean {
  return (
    artifactType === MEDIA_TYPES.pack ||
    config?.mediaType === MEDIA_TYPES.packConfig ||
    layers.some(({ mediaType }) => mediaType === MEDIA_TYPES.packBundle)
  );
}
