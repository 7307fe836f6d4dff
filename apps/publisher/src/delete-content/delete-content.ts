import { newEvent, PackReferrerRemoved, type DeleteContentReply, type DeleteContentRequest } from '@packs/contracts';
import { DomainError, referrerTag, type Digest } from '@packs/domain';
import type { Clock, RegistryTx, RegistryUnitOfWork } from '@packs/ports';
import type { DeprecateVersion } from '../deprecate-version/deprecate-version';
import { releaseClaim } from '../expire-pending/release-claim';
import { isDocument } from '../put-manifest/read-document';

const DELETED: DeleteContentReply = { outcome: 'deleted' };

/**
 * Takes content out of a repository. A generic one gives up all but what its own manifests need. A pack's version is deprecated in place of deleted,
 * one that waits for its signatures gives its number back, and what a verdict leaned on stays.
 */
export class DeleteContent {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
    private readonly deprecateVersion: DeprecateVersion,
  ) {}

  /** @throws DomainError ERR_OCI_MANIFEST_UNKNOWN, ERR_OCI_BLOB_UNKNOWN, ERR_OCI_TAG_PROTECTED, ERR_OCI_REFERENCED */
  async execute(request: DeleteContentRequest): Promise<DeleteContentReply> {
    const { tenant, repository, target } = request;
    const done = await this.unitOfWork.run<DeleteContentReply | { deprecate: string }>(tenant, async tx => {
      const isPack = (await tx.repositories.kind(tenant, repository)) === 'pack';
      if ('tag' in target) return isPack ? deletePackTag(tx, request, target.tag) : deleteTag(tx, request, target.tag);
      if ('blob' in target) return deleteBlob(tx, request, target.blob);
      return isPack ? this.deletePackManifest(tx, request, target.manifest) : deleteManifest(tx, request, target.manifest);
    });
    return 'deprecate' in done ? this.deprecate(request, done.deprecate) : done;
  }

  private async deletePackManifest(
    tx: RegistryTx,
    request: DeleteContentRequest,
    digest: Digest,
  ): Promise<DeleteContentReply | { deprecate: string }> {
    const { tenant, repository, actor, source } = request;
    // Nobody publishes or claims meanwhile, so that what is deleted is what was looked at.
    await tx.repositories.lockPack(tenant, repository);
    const version = await tx.repositories.versionOf(tenant, repository, digest);
    if (version?.state === 'published') return { deprecate: version.version };
    if (!version) return this.deleteReferrer(tx, request, digest);
    const cause = { actor, source, cause: 'request' } as const;
    await releaseClaim(tx, { tenant, packId: repository, version: version.version }, cause, this.clock.now());
    return DELETED;
  }

  /** What a verdict leaned on stays: a foreign key holds it. */
  private async deleteReferrer(tx: RegistryTx, request: DeleteContentRequest, digest: Digest): Promise<DeleteContentReply> {
    const { tenant, repository: packId, actor, source } = request;
    const manifest = await tx.repositories.manifest(tenant, packId, digest);
    const subject = manifest?.subject ?? null;
    const of = subject === null ? undefined : await tx.repositories.versionOf(tenant, packId, subject);
    const reply = await deleteManifest(tx, request, digest);
    if (!manifest || subject === null || of?.state !== 'published' || isDocument(manifest.artifactType)) return reply;
    const at = this.clock.now();
    const about = { manifestDigest: subject, referrer: digest, artifactType: manifest.artifactType, removedAt: at.toISOString() };
    const data = { packId, version: of.version, actor, tenant, source, signatures: [], metadataHash: subject, ...about };
    await tx.outbox.append(newEvent(PackReferrerRemoved, data, at));
    return reply;
  }

  private async deprecate(
    { tenant, actor, source, repository: packId }: DeleteContentRequest,
    version: string,
  ): Promise<DeleteContentReply> {
    try {
      await this.deprecateVersion.execute({ tenant, actor, source, packId, version, reason: null, replacement: null });
    } catch (error) {
      // Archived: it has been deprecated before.
      if (!(error instanceof DomainError && error.code === 'ERR_PACK_LIFECYCLE')) throw error;
    }
    return { outcome: 'deprecated' };
  }
}

async function deletePackTag(tx: RegistryTx, request: DeleteContentRequest, tag: string): Promise<DeleteContentReply> {
  if (!referrerTag(tag)?.suffix && (await tx.repositories.isPackTag(request.tenant, request.repository, tag))) {
    throw new DomainError('ERR_OCI_TAG_PROTECTED', `${tag} is the tag of a version or a channel, which clients do not delete`, {
      errors: [{ field: 'tag', message: 'is the tag of a version or a channel' }],
    });
  }
  return deleteTag(tx, request, tag);
}

async function deleteTag(tx: RegistryTx, { tenant, repository }: DeleteContentRequest, tag: string): Promise<DeleteContentReply> {
  if (await tx.repositories.deleteTag(tenant, repository, tag)) return DELETED;
  throw new DomainError('ERR_OCI_MANIFEST_UNKNOWN', `the repository has no tag ${tag}`);
}

async function deleteManifest(tx: RegistryTx, { tenant, repository }: DeleteContentRequest, digest: Digest): Promise<DeleteContentReply> {
  if (await tx.repositories.deleteManifest(tenant, repository, digest)) return DELETED;
  throw new DomainError('ERR_OCI_MANIFEST_UNKNOWN', `the repository has no manifest ${digest}`);
}

async function deleteBlob(tx: RegistryTx, { tenant, repository }: DeleteContentRequest, digest: Digest): Promise<DeleteContentReply> {
  if (await tx.repositories.deleteBlob(tenant, repository, digest)) return DELETED;
  throw new DomainError('ERR_OCI_BLOB_UNKNOWN', `the repository has no blob ${digest}`);
}
