import type { Descriptor, Digest, RepositoryKind, RepositoryName } from '@packs/domain';
import type { StoredBlob } from './blob-store';

/** A repository through the eyes of one caller. */
export interface RepositoryView extends RepositoryName {
  /** The caller's tenant; '' for one without a token. */
  readonly tenant: string;
  /** Shows what only those who push may see: versions that wait for signatures, blobs no manifest names yet. */
  readonly mayPush: boolean;
}

/** The version of a pack that a manifest is, or belongs to as its referrer. */
export interface VersionOfManifest {
  readonly packId: string;
  readonly version: string;
  readonly state: 'published' | 'pending';
  /** The trust epoch of its verdict, and the owner's current one; equal: it may be served as it is. */
  readonly verifiedEpoch: number;
  readonly currentEpoch: number;
  readonly deprecation: { readonly reason: string | null; readonly replacement: string | null } | null;
}

export interface FoundManifest {
  readonly mediaType: string;
  readonly blob: StoredBlob;
  readonly kind: RepositoryKind;
  /** Null in generic repositories alone. */
  readonly version: VersionOfManifest | null;
  /** The namespace lets those who may not push pull by digest alone. */
  readonly digestOnly: boolean;
}

export interface FoundBlob {
  readonly blob: StoredBlob;
  /** Versions the caller may read it through; null: it needs no version to be read, as in a generic repository. One good version is enough. */
  readonly versions: readonly VersionOfManifest[] | null;
}

/** A referrer as distribution-spec "Listing Referrers" describes it. */
export interface Referrer extends Descriptor {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

/**
 * What the OCI door reads. Row-level security decides what the caller's tenant finds, by the same queries whatever there is; each answer is as of now,
 * and costs the same in a large repository as in a small one.
 */
export abstract class RepositoryReadModel {
  abstract findManifest(
    at: RepositoryView,
    reference: { readonly tag: string } | { readonly digest: Digest },
  ): Promise<FoundManifest | undefined>;

  abstract findBlob(at: RepositoryView, digest: Digest): Promise<FoundBlob | undefined>;

  /** In byte order, those behind `last`. Undefined: the caller knows of no such repository. */
  abstract listTags(at: RepositoryView, page: { readonly limit: number; readonly last?: string }): Promise<Page<string> | undefined>;

  /** Manifests whose subject is `digest`, which itself need not be there. */
  abstract listReferrers(
    at: RepositoryView,
    digest: Digest,
    page: { readonly limit: number; readonly last?: Digest; readonly artifactType?: string },
  ): Promise<Page<Referrer>>;

  /** Names of repositories the tenant sees, in byte order. */
  abstract listRepositories(
    tenant: string,
    page: { readonly limit: number; readonly last?: RepositoryName },
  ): Promise<Page<RepositoryName>>;
}
