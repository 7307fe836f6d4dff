import type {
  PackDetail,
  PackListQuery,
  PackView,
  PolicyVersionList,
  PolicyVersionsQuery,
  VersionListQuery,
  VersionView,
} from '@packs/contracts';
import type { Digest, PackType, SignatureMediaType, SigningPolicy } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';
import type { JudgeableAttestation } from './channel-store';
import type { TrustState } from './registry-unit-of-work';
import type { ImportedTrustBundle } from './trust-bundles';
import type { Withdrawal } from './signature-store';

/** A place in the registry as one caller sees it: the namespace asked for, through the eyes of the caller's tenant. */
export interface Viewpoint {
  readonly tenant: string;
  readonly namespace: string;
}

/** What a read has to know before it may serve a version. */
export interface ServableVersion {
  readonly view: VersionView;
  readonly bundle: StoredBlob;
  readonly manifest: BlobRef;
  readonly type: PackType;
  readonly channel: string;
  readonly signatures: readonly (BlobRef & { readonly mediaType: SignatureMediaType })[];
  /** Where the verdict looked at any: all there are, the newest first. */
  readonly attestations: readonly JudgeableAttestation[];
  /** The trust epoch it was accepted under last; -1 while it is withdrawn. */
  readonly verifiedEpoch: number;
  readonly withdrawal: Withdrawal | null;
  readonly verdictPolicy: SigningPolicy | null;
  readonly trust: { readonly epoch: number; readonly digest: Digest; readonly material: BlobRef | null };
}

export abstract class PackReadModel {
  abstract listPacks(at: Viewpoint, query: PackListQuery): Promise<{ packs: PackView[]; next: string | null }>;
  abstract findPack(at: Viewpoint, packId: string): Promise<PackDetail | undefined>;
  abstract listVersions(
    at: Viewpoint,
    packId: string,
    query: VersionListQuery,
  ): Promise<{ versions: VersionView[]; next: string | null } | undefined>;
  abstract findVersion(at: Viewpoint, packId: string, version: string): Promise<ServableVersion | undefined>;
}

export abstract class TrustReadModel {
  /** The tenant's own trust material, active policies and allow-list. */
  abstract state(tenant: string): Promise<TrustState>;
  /** The trust bundle that the tenant has put in force last. */
  abstract bundle(tenant: string): Promise<ImportedTrustBundle | undefined>;
  /** Every version of a policy of the tenant, newest first; undefined when it never had one of this name. */
  abstract policyVersions(tenant: string, name: string, page: PolicyVersionsQuery): Promise<PolicyVersionList | undefined>;
}
