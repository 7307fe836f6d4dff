import type { Digest, ParsedManifest, RepositoryKind } from '@packs/domain';
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
  /** Media types of its config and its layers: none of them is a pack's. */
  readonly parts: readonly string[];
}

/** A manifest with what its bytes say. */
export function genericPush(
  {
    tenant,
    actor,
    repository,
    tags,
    written,
    at,
  }: Pick<GenericPush, 'tenant' | 'actor' | 'repository' | 'tags' | 'written'> & { readonly at: Date },
  { mediaType, artifactType, config, layers, children, subject, annotations }: ParsedManifest,
): GenericPush {
  const here = layers.filter(({ isForeign }) => !isForeign);
  const parts = [...(config ? [config] : []), ...layers];
  return {
    ...{ tenant, repository, tags, actor, written },
    manifest: { digest: written.digest, mediaType, artifactType, subject: subject?.digest ?? null, annotations },
    blobs: [...(config ? [config] : []), ...here].map(({ digest }) => digest),
    foreignBlobs: layers.filter(({ isForeign }) => isForeign).map(({ digest }) => digest),
    children: children.map(({ digest }) => digest),
    parts: [...new Set(parts.map(part => part.mediaType))],
    at: at.toISOString(),
  };
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
