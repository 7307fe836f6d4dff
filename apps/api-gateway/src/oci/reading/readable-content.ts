import { DomainError, parseContentDigest, parseReference } from '@packs/domain';
import {
  isQuarantined,
  type FoundBlob,
  type FoundManifest,
  type RepositoryReadModel,
  type RepositoryView,
  type StoredBlob,
  type VersionOfManifest,
} from '@packs/ports';
import type { ServableVersions } from '../../serving/servable-versions';
import { KeptAnswers, type Found } from './kept-answers';
import type { ReadBarrier } from './read-barrier';

/** Of each kind: some tens of thousands of answers. */
const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * The only way to content by the OCI door: found in the repository as the caller sees it, and, where it belongs to a pack, through a version that is
 * still good under its owner's current keys.
 */
export class ReadableContent {
  private readonly manifests: KeptAnswers<FoundManifest>;
  private readonly blobs: KeptAnswers<StoredBlob>;

  constructor(
    private readonly repositories: RepositoryReadModel,
    private readonly versions: ServableVersions,
    barrier: ReadBarrier,
  ) {
    this.manifests = new KeptAnswers(barrier, KEPT_BYTES);
    this.blobs = new KeptAnswers(barrier, KEPT_BYTES);
  }

  /** @throws DomainError ERR_OCI_MANIFEST_UNKNOWN, ERR_PACK_WITHDRAWN, ERR_OCI_DENIED where only digests are pulled by */
  manifest(view: RepositoryView, text: string): Promise<FoundManifest> {
    return this.manifests.of(view, text, () => this.findManifest(view, text));
  }

  /** @throws DomainError ERR_OCI_BLOB_UNKNOWN; ERR_PACK_WITHDRAWN when every version it belongs to is */
  blob(view: RepositoryView, text: string): Promise<StoredBlob> {
    return this.blobs.of(view, text, () => this.findBlob(view, text));
  }

  private async findManifest(view: RepositoryView, text: string): Promise<Found<FoundManifest>> {
    const reference = parseReference(text);
    const found = await this.repositories.findManifest(view, reference);
    if (!found) throw new DomainError('ERR_OCI_MANIFEST_UNKNOWN', 'the repository has no such manifest');
    if (found.digestOnly && 'tag' in reference && !view.mayPush) {
      throw new DomainError('ERR_OCI_DENIED', `namespace ${view.namespace} is pulled from by digest, not by tag`);
    }
    if (found.version) await this.requireGood(view, found.version);
    return toFound(found, found.blob, found.version === null || isGood(found.version));
  }

  private async findBlob(view: RepositoryView, text: string): Promise<Found<StoredBlob>> {
    const found: FoundBlob | undefined = await this.repositories.findBlob(view, parseContentDigest(text));
    if (!found) throw new DomainError('ERR_OCI_BLOB_UNKNOWN', 'the repository has no such blob');
    if (found.versions) await this.requireOneGood(view, found.versions);
    return toFound(found.blob, found.blob, found.versions === null || found.versions.some(isGood));
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
    if (version.state === 'pending' || isGood(version)) return;
    await this.versions.find({ tenant, namespace }, version.packId, version.version);
  }
}

/** Published, and judged by the keys that hold now. */
function isGood({ state, verifiedEpoch, currentEpoch }: VersionOfManifest): boolean {
  return state === 'published' && verifiedEpoch === currentEpoch;
}

/** What waits, was judged under other keys or is damaged is asked for anew each time. */
function toFound<Answer>(answer: Answer, blob: StoredBlob, holds: boolean): Found<Answer> {
  return { answer, digest: blob.digest, lasts: holds && !isQuarantined(blob), bytes: blob.blockChecksums.length };
}
