import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';

export interface VersionName {
  readonly packId: string;
  readonly version: string;
}

/** What never changes about a published version, beyond its bytes. */
export interface VersionRecord extends VersionName {
  readonly publishedBy: string;
  readonly source: string | null;
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
}

/** What the registry knows that goes into kits, or decides what becomes of one. */
export abstract class KitRecords {
  /** Whether the audit log has every event of the tenant that was committed when this was asked. */
  abstract isAuditComplete(tenant: string): Promise<boolean>;
  abstract versions(tenant: string, names: readonly VersionName[]): Promise<VersionRecord[]>;
  abstract policies(tenant: string, names: readonly { readonly name: string; readonly version: number }[]): Promise<SigningPolicy[]>;
  /** Where blobs lie; those that are not known are left out. */
  abstract blobs(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>>;
  /** The keys the tenant takes kits from; null while it has named none. */
  abstract exporters(tenant: string): Promise<BlobRef | null>;
  /** The manifest digest of each version, equal in SemVer precedence, that is published already. */
  abstract published(tenant: string, names: readonly VersionName[]): Promise<(VersionName & { readonly manifestDigest: Digest })[]>;
  /** The newest generation that was imported from a source, and whether this kit was. */
  abstract imported(tenant: string, log: Digest, kit: Digest): Promise<{ readonly newest: number | null; readonly isImported: boolean }>;
}
