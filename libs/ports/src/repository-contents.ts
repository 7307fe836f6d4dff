import type { Digest, RepositoryKind } from '@packs/domain';
import type { StoredBlob } from './blob-store';
import type { VersionByManifest } from './repository-store';

/** What a tenant's repository has, for who brings more into it. */
export abstract class RepositoryContents {
  /** Undefined until the first manifest. */
  abstract kind(tenant: string, repository: string): Promise<RepositoryKind | undefined>;

  /** Those of the digests under which a manifest is there, with all that it names. */
  abstract manifests(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>>;

  /** Those of the blobs that were uploaded to the repository or belong to one of its manifests. */
  abstract blobs(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>>;

  abstract versionOf(tenant: string, packId: string, manifest: Digest): Promise<VersionByManifest | undefined>;

  /** What the tag names there: that of a pack's published version, or one that was pushed. */
  abstract tagged(tenant: string, repository: string, tag: string): Promise<Digest | undefined>;

  /**
   * Puts a stored blob into the repository, as an upload does.
   * @throws DomainError ERR_PACK_SEALED
   */
  abstract link(tenant: string, repository: string, actor: string, blob: StoredBlob): Promise<void>;
}
