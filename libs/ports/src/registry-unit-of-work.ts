import type { Digest, EncodedManifest, PackManifest, PackType, SigningPolicy, Verdict } from '@packs/domain';
import type { PublishPackReply } from '@packs/contracts';
import type { AttestationStore } from './attestation-store';
import type { BlobRef, StoredBlob } from './blob-store';
import type { ChannelStore } from './channel-store';
import type { KitStore } from './kit-store';
import type { NamespacePolicyStore } from './namespace-policies';
import type { Outbox } from './outbox';
import type { PendingVersionStore, RepositoryStore } from './repository-store';
import type { SealStore } from './seal-store';
import type { TrustBundleStore, TrustWatchStore } from './trust-bundles';

/** What a verdict depends on, as of one moment. */
export interface TrustState {
  readonly epoch: number;
  readonly digest: Digest;
  readonly material: BlobRef | null;
  readonly policies: readonly SigningPolicy[];
  readonly shareWith: readonly string[];
}

export abstract class TrustStore {
  /** With `lock`, no epoch, policy or allow-list of the tenant changes before this transaction ends. */
  abstract state(tenant: string, lock: 'none' | 'share' | 'update'): Promise<TrustState>;
  /** @param at RFC 3339: from when on the epoch holds (`TrustWatchStore`); absent: now, by the clock of the store */
  abstract setMaterial(tenant: string, epoch: number, material: BlobRef, at?: string): Promise<void>;
  abstract addPolicy(policy: SigningPolicy, tenant: string, actor: string): Promise<void>;
  abstract setShareWith(tenant: string, shareWith: readonly string[]): Promise<void>;
}

/** A version that is already there. */
export interface ExistingVersion {
  readonly packId: string;
  readonly version: string;
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly size: number;
  readonly channel: string;
  readonly verdictHash: Digest;
  readonly type: PackType;
  readonly deprecatedAt: string | null;
  readonly archivedAt: string | null;
  readonly replacement: string | null;
  readonly config: Digest;
  readonly signatures: readonly Digest[];
}

export interface NewSignature {
  readonly blob: BlobRef & { readonly mediaType: string };
  readonly manifest: EncodedManifest;
  /** The identity the verdict found for it; null for one that no trusted key made. */
  readonly identity: Verdict['identities'][number] | null;
}

export interface NewVersion {
  readonly tenant: string;
  readonly manifest: PackManifest;
  readonly type: PackType;
  readonly channel: string;
  readonly bundle: BlobRef;
  readonly config: BlobRef;
  readonly ociManifest: EncodedManifest;
  readonly signatures: readonly NewSignature[];
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
  readonly publishedAt: string;
  readonly actor: string;
  readonly source: string | null;
  /** Blobs this transaction has to record: manifests and config, stored but not yet known. */
  readonly blobs: readonly StoredBlob[];
}

export abstract class PackStore {
  /**
   * Serializes writers of one pack until the transaction ends and fixes the type of a new one.
   * @returns the pack's type
   */
  abstract lockPack(tenant: string, packId: string, type: PackType): Promise<PackType>;
  /** The version equal in SemVer precedence, if there is one: build metadata alone makes no other version. */
  abstract findVersion(tenant: string, packId: string, version: string): Promise<ExistingVersion | undefined>;
  /** The published, not deprecated versions of each pack in the tenant's own namespace. */
  abstract versionsOf(tenant: string, packIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** @returns whether the channel now points at this version */
  abstract addVersion(version: NewVersion): Promise<{ channelMoved: boolean }>;
  abstract deprecate(
    tenant: string,
    packId: string,
    version: string,
    note: { at: string; actor: string; reason: string | null; replacement: string | null },
  ): Promise<void>;
  /** The version is deprecated as well from then on, if it was not before. A replacement named earlier stays unless another is given. */
  abstract archive(
    tenant: string,
    packId: string,
    version: string,
    note: { at: string; actor: string; reason: string | null; replacement: string | null },
  ): Promise<void>;
  /** Keeps a verdict that is not, or not only, that of a new version. */
  abstract addVerdict(tenant: string, verdict: Verdict, hash: Digest): Promise<void>;
}

/** Answers given under an idempotency key. */
export abstract class IdempotencyStore {
  abstract find(tenant: string, key: string): Promise<{ requestHash: Digest; reply: PublishPackReply } | undefined>;
  abstract put(tenant: string, key: string, requestHash: Digest, reply: PublishPackReply): Promise<void>;
}

export interface RegistryTx {
  readonly packs: PackStore;
  readonly repositories: RepositoryStore;
  readonly pendingVersions: PendingVersionStore;
  readonly attestations: AttestationStore;
  readonly channels: ChannelStore;
  readonly trust: TrustStore;
  readonly trustBundles: TrustBundleStore;
  readonly trustWatches: TrustWatchStore;
  readonly namespacePolicies: NamespacePolicyStore;
  readonly kits: KitStore;
  readonly seal: SealStore;
  readonly idempotency: IdempotencyStore;
  readonly outbox: Outbox;
}

export abstract class RegistryUnitOfWork {
  /** One transaction as `tenant`: all of `work` or nothing. Events appended in it reach the wire after its commit. */
  abstract run<T>(tenant: string, work: (tx: RegistryTx) => Promise<T>): Promise<T>;
}
