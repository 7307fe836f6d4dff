import type { Digest, RepositoryKind } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';
import type { ManifestPush } from './repository-store';

export interface GenericPush extends ManifestPush {
  /** The manifest's bytes: they need not be recorded yet. */
  readonly written: StoredBlob;
  readonly tags: readonly string[];
  readonly blobs: readonly Digest[];
  /** Blobs that may lie elsewhere alone. */
  readonly foreignBlobs: readonly Digest[];
  /** Manifests that an index names. */
  readonly children: readonly Digest[];
}

export interface GenericOutcome {
  /** Null: the repository is not there yet, and this push did not make it. */
  readonly kind: RepositoryKind | null;
  readonly missing: readonly Digest[];
  /** The record of the manifest's bytes that holds: an earlier one wins. Where it is in quarantine, nothing was recorded over it. */
  readonly recorded: BlobRef;
}

/** Manifests of repositories that are no packs'. */
export abstract class GenericContent {
  /**
   * Records the bytes, the manifest over them and its tags, all or nothing, and makes the repository a generic one if it is its first. Only the bytes are
   * recorded unless `kind` is generic and nothing is `missing`. The same push again changes nothing.
   * @throws DomainError ERR_PACK_SEALED; ERR_PACK_CONFLICT, to be tried again, when what it names is deleted meanwhile
   */
  abstract put(push: GenericPush): Promise<GenericOutcome>;
}
