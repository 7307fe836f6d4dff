import type { PutManifestReply, PutManifestRequest } from '@packs/contracts';
import { DomainError, isPackManifest, MANIFEST_MAX_BYTES, type ParsedManifest } from '@packs/domain';
import {
  genericPush,
  readWhole,
  requireSound,
  type BlobRef,
  type BlobStore,
  type Clock,
  type ContentCatalog,
  type GenericContent,
} from '@packs/ports';
import { parseManifest } from './parse-manifest';
import type { PutPack } from './put-pack';
import type { PutReferrer } from './put-referrer';

/** A manifest whose bytes were proven and read. */
export interface ReadManifest {
  readonly bytes: Buffer;
  readonly parsed: ParsedManifest;
}

/** A push whose bytes are recorded. */
export interface RecordedPush extends Omit<PutManifestRequest, 'manifest'> {
  /** The record that holds. */
  readonly manifest: BlobRef;
}

/** Records a manifest that a client pushed: as generic content, as a version of a pack, or as what refers to one. */
export class PutManifest {
  constructor(
    private readonly generic: GenericContent,
    private readonly catalog: ContentCatalog,
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
    if (isPackManifest(read.parsed)) return this.putPack.execute(await this.record(request), read);
    const { tenant, actor, repository, tags, manifest: written } = request;
    const push = genericPush({ tenant, actor, repository, tags, written, at: this.clock.now() }, read.parsed);
    const { kind, missing, recorded } = await this.generic.put(push);
    await this.requireWhole(recorded, request.manifest);
    if (kind === 'pack') return this.putReferrer.execute({ ...request, manifest: recorded }, read);
    requireAll(missing);
    return { ...whereabouts(recorded), subject: read.parsed.subject?.digest ?? null, state: 'stored', version: null };
  }

  private async record(request: PutManifestRequest): Promise<RecordedPush> {
    const [{ digest, size, objectKey } = request.manifest] = await this.catalog.record([request.manifest]);
    const recorded = { digest, size, objectKey };
    await this.requireWhole(recorded, request.manifest);
    return { ...request, manifest: recorded };
  }

  /** What was recorded before is what will be read, so it has to be whole. @throws DomainError ERR_PACK_CORRUPT */
  private async requireWhole(recorded: BlobRef, written: BlobRef): Promise<void> {
    requireSound(recorded);
    if (recorded.objectKey !== written.objectKey) await readWhole(this.blobs, recorded, MANIFEST_MAX_BYTES);
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

/** What every answer tells of the bytes. */
export function whereabouts({ digest, objectKey }: BlobRef): Pick<PutManifestReply, 'digest' | 'objectKey'> {
  return { digest, objectKey };
}
