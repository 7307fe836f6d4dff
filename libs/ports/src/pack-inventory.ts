import type { Selection } from '@packs/contracts';
import type { Digest, PackType, SignatureMediaType, SigningPolicy } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';

/** A stored blob with the media type its descriptor has. */
export type InventoryBlob = StoredBlob & { readonly mediaType: string };

interface ReferrerVerification {
  readonly epoch: number;
  readonly policy: SigningPolicy | null;
  /** Of the statement, and when it was taken in. */
  readonly predicateType: string;
  readonly addedAt: string;
}

/** A manifest whose `subject` is the version's, with what it holds: a signature or an attestation. */
export interface InventoryReferrer {
  readonly manifest: InventoryBlob & { readonly artifactType: string };
  /** Its layers and, where it has one that is stored, its config. */
  readonly blobs: readonly InventoryBlob[];
  /** `referrer`: nobody has verified it, as it claims nothing that could be. */
  readonly kind: 'signature' | 'attestation' | 'referrer';
  /** What its own verdict rests on. Null for what has none: a signature is judged with its version. */
  readonly verification: ReferrerVerification | null;
}

/** One published version with all that is needed to copy it. */
export interface InventoryVersion {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  readonly type: PackType;
  /** The channels whose head it is. */
  readonly channels: readonly string[];
  readonly lifecycle: 'active' | 'deprecated' | 'archived';
  readonly deprecation: {
    readonly at: string;
    readonly by: string;
    readonly reason: string | null;
    readonly replacement: string | null;
  } | null;
  readonly digest: Digest;
  readonly manifest: InventoryBlob;
  /** Config and bundle, in the order of the manifest. */
  readonly blobs: readonly InventoryBlob[];
  /** In the order of their digests. */
  readonly referrers: readonly InventoryReferrer[];
  /** Tenants beside the owner that may see it. */
  readonly visibility: readonly string[];
  readonly publishedAt: string;
  readonly verification: InventoryVerification;
}

/** What its verdict rests on. When `epoch` is not the current one, it has to be verified again before it may be handed on. */
export interface InventoryVerification {
  /** Under which it was accepted last; -1 while it is withdrawn. */
  readonly epoch: number;
  /** The epoch under whose keys it was withdrawn, and is until they change. Absent: it is not. */
  readonly withdrawnEpoch?: number | undefined;
  /** The channel and the policy the verdict was made for. */
  readonly channel: string;
  readonly policy: SigningPolicy | null;
  readonly signatures: readonly (BlobRef & { readonly mediaType: SignatureMediaType })[];
  readonly trust: { readonly epoch: number; readonly digest: Digest; readonly material: BlobRef | null };
}

export interface InventoryHead {
  readonly packId: string;
  readonly channel: string;
  readonly version: string;
}

export interface InventoryOptions {
  /** With signatures that others have replaced among those of each version. */
  readonly retired: boolean;
}

/** The published versions of a tenant, for those who copy or compare them. */
export abstract class PackInventory {
  /**
   * The selected versions in the order of packId (bytes) and version precedence. Read page by page, each in a short transaction of
   * its own: a slow reader holds nothing, and versions published meanwhile may or may not be among them.
   */
  abstract versions(tenant: string, selection: Selection, wanted?: InventoryOptions): AsyncIterable<InventoryVersion>;

  /** The channel heads that point at selected versions, as of one moment, in the order of packId and channel (bytes). */
  abstract heads(tenant: string, selection: Selection): Promise<InventoryHead[]>;

  /** Whether a version is among the selected ones. */
  abstract includes(tenant: string, selection: Selection, packId: string, version: string): Promise<boolean>;

  /** How much `versions` would hand on: each blob counted once. */
  abstract size(tenant: string, selection: Selection): Promise<{ versions: number; bytes: number }>;
}
