import { DomainError, parseContentDigest, parseReference } from '@packs/domain';
import type { FoundBlob, FoundManifest, RepositoryReadModel, RepositoryView, VersionOfManifest } from '@packs/ports';
import type { ServableVersions } from '../../serving/servable-versions';

/**
 * The only way to content by the OCI door: found in the repository as the caller sees it, and, where it belongs to a pack, through a version that is
 * still good under its owner's current keys.
 */
export class ReadableContent {
  constructor(
    private readonly repositories: RepositoryReadModel,
    private readonly versions: ServableVersions,
  ) {}

  /** @throws DomainError ERR_OCI_MANIFEST_UNKNOWN, ERR_PACK_WITHDRAWN, ERR_OCI_DENIED where only digests are pulled by */
  async manifest(view: RepositoryView, text: string): Promise<FoundManifest> {
    const reference = parseReference(text);
    const found = await this.repositories.findManifest(view, reference);
    if (!found) throw new DomainError('ERR_OCI_MANIFEST_UNKNOWN', 'the repository has no such manifest');
    if (found.digestOnly && 'tag' in reference && !view.mayPush) {
      throw new DomainError('ERR_OCI_DENIED', `namespace ${view.namespace} is pulled from by digest, not by tag`);
    }
    if (found.version) await this.requireGood(view, found.version);
    return found;
  }

  /** @throws DomainError ERR_OCI_BLOB_UNKNOWN; ERR_PACK_WITHDRAWN when every version it belongs to is */
  async blob(view: RepositoryView, text: string): Promise<FoundBlob['blob']> {
    const found = await this.repositories.findBlob(view, parseContentDigest(text));
    if (!found) throw new DomainError('ERR_OCI_BLOB_UNKNOWN', 'the repository has no such blob');
    if (found.versions) await this.requireOneGood(view, found.versions);
    return found.blob;
  }

  private async requireOneGood(view: RepositoryView, versions: readonly VersionOfManifest[]): Promise<void> {
    let refusal: unknown;
    for (const version of versions) {
      try {
        return await this.requireGood(view, version);
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  private async requireGood({ tenant, namespace }: RepositoryView, version: VersionOfManifest): Promise<void> {
    // Who sees a pending version at all may push to its repository.
    if (version.state === 'pending' || version.verifiedEpoch === version.currentEpoch) return;
    await this.versions.find({ tenant, namespace }, version.packId, version.version);
  }
}
