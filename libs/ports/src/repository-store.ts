import type { Digest, PackType, RepositoryKind } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';

/** A manifest as it is recorded; its bytes are a recorded blob. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** As referrers show it; empty where there is none. */
  readonly artifactType: string;
  readonly subject: Digest | null;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ManifestPush {
  readonly tenant: string;
  readonly repository: string;
  readonly manifest: ManifestRecord;
  readonly at: string;
  readonly actor: string;
}

/** A referrer of a pack's manifest. Its blobs are in the repository. */
export interface ReferrerPush extends ManifestPush {
  /** The subject that its tag names, where it has none of its own. */
  readonly taggedSubject: Digest | null;
  readonly tag: string | null;
  readonly blobs: readonly Digest[];
  /** Stored but not yet recorded. */
  readonly newBlobs: readonly StoredBlob[];
}

export interface RecordedManifest extends BlobRef {
  readonly mediaType: string;
  readonly artifactType: string;
  readonly subject: Digest | null;
}

/** The version of a pack that a manifest is. */
export interface VersionByManifest {
  readonly version: string;
  readonly state: 'published' | 'pending';
}

/** Repositories of either kind. What a pack's version needs is out of reach of every deletion here: foreign keys hold it. */
export abstract class RepositoryStore {
  /** Undefined until the first manifest. */
  abstract kind(tenant: string, repository: string): Promise<RepositoryKind | undefined>;

  /**
   * Serializes writers of one pack until the transaction ends, without settling the type of a new one.
   * @returns the pack's type, null before its first version
   * @throws DomainError ERR_OCI_REPOSITORY_KIND
   */
  abstract lockPack(tenant: string, packId: string): Promise<PackType | null>;

  /** Those of the blobs that were uploaded to the repository or belong to one of its manifests. */
  abstract blobs(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>>;

  abstract manifest(tenant: string, repository: string, digest: Digest): Promise<RecordedManifest | undefined>;
  abstract versionOf(tenant: string, packId: string, manifest: Digest): Promise<VersionByManifest | undefined>;
  /** A pack's own tags, which follow from its versions and channels: whether one of them is called so. */
  abstract isPackTag(tenant: string, packId: string, tag: string): Promise<boolean>;

  /** False: the manifest was there. */
  abstract addReferrer(push: ReferrerPush): Promise<boolean>;
  /** Manifests with this subject of their own, the newest first. */
  abstract referrers(tenant: string, repository: string, subject: Digest, limit: number): Promise<readonly RecordedManifest[]>;

  /** False: there is no such tag. */
  abstract deleteTag(tenant: string, repository: string, tag: string): Promise<boolean>;
  /** With its tags. False: there is no such manifest. @throws DomainError ERR_OCI_REFERENCED */
  abstract deleteManifest(tenant: string, repository: string, digest: Digest): Promise<boolean>;
  /** Takes a blob out of the repository. False: it is not there. @throws DomainError ERR_OCI_REFERENCED naming a manifest that has it */
  abstract deleteBlob(tenant: string, repository: string, digest: Digest): Promise<boolean>;
}

/** A claim on a version number, until the signatures that its policy asks for have come. */
export interface PendingVersion {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  readonly manifest: BlobRef & { readonly mediaType: string };
  readonly bundle: BlobRef;
  readonly channel: string;
  readonly claimedAt: string;
  readonly claimedBy: string;
  readonly source: string | null;
  readonly expiresAt: string;
}

export interface NewClaim extends Omit<PendingVersion, 'manifest' | 'bundle'> {
  /** Codes of the checks it has not passed. */
  readonly reasons: readonly string[];
  readonly manifest: ManifestRecord;
  readonly config: Digest;
  readonly bundle: Digest;
  /** Referrers that came with it. */
  readonly referrers: readonly { readonly manifest: ManifestRecord; readonly blobs: readonly Digest[] }[];
  /** Stored but not yet recorded. */
  readonly blobs: readonly StoredBlob[];
}

export abstract class PendingVersionStore {
  /** The claim on this number, whatever its build metadata. */
  abstract find(tenant: string, packId: string, version: string): Promise<PendingVersion | undefined>;
  /** The number is free, or claimed by the same manifest: then the claim stays as it is, but for what came with it now. */
  abstract claim(claim: NewClaim): Promise<void>;
  /** Ends a claim whose version is published, and leaves the artifact. */
  abstract complete(tenant: string, packId: string, version: string): Promise<void>;
  /** Ends a claim and takes its manifest, what refers to that, and the links to their blobs away. False: there is none. */
  abstract release(tenant: string, packId: string, version: string): Promise<boolean>;
  /** Claims of every tenant that ended by `now`; asked for in a transaction of no tenant. */
  abstract due(now: string, limit: number): Promise<readonly Pick<PendingVersion, 'tenant' | 'packId' | 'version'>[]>;
}
