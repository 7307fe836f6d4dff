import type { MoveReason } from '@packs/contracts';
import type { AttestationMediaType, Digest, Lifecycle, PackType, SignatureMediaType, SigningPolicy } from '@packs/domain';
import type { BlobRef } from './blob-store';

/** A channel beside those every tenant has. */
export interface CustomChannel {
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface CurrentHead {
  readonly version: string;
  readonly movedAt: string;
  /** Why the version was let into the channel. */
  readonly verdictHash: Digest;
}

export interface HeadMove {
  readonly tenant: string;
  readonly packId: string;
  readonly channel: string;
  readonly version: string;
  readonly at: string;
  readonly actor: string;
  readonly reason: MoveReason;
  readonly verdictHash: Digest;
}

/** A recorded attestation, as a verdict on its version asks for it. */
export type JudgeableAttestation = BlobRef & {
  readonly mediaType: AttestationMediaType;
  readonly predicateType: string;
  /** Counts for no decision that is still to be made; what it let in stays. */
  readonly contested: boolean;
};

/** A published version with all that a verdict on it needs. */
export interface JudgeableVersion {
  readonly version: string;
  readonly type: PackType;
  readonly lifecycle: Lifecycle;
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly config: Digest;
  readonly bundle: BlobRef;
  readonly manifest: BlobRef;
  readonly signatures: readonly (BlobRef & { readonly mediaType: SignatureMediaType })[];
  /** The newest first. */
  readonly attestations: readonly JudgeableAttestation[];
  /** The channel it was published to, and the policy and epoch of the verdict that let it in. */
  readonly channel: string;
  readonly verdictPolicy: SigningPolicy | null;
  readonly verifiedEpoch: number;
}

/** A published version and a channel that it was let into. */
export interface DecidedPlace {
  readonly packId: string;
  readonly version: string;
  readonly channel: string;
}

export abstract class ChannelStore {
  /** The tenant's own channels, by name. */
  abstract custom(tenant: string): Promise<readonly CustomChannel[]>;
  /** Adds the channel, or describes the one of that name anew. */
  abstract put(tenant: string, channel: CustomChannel): Promise<void>;
  /** What the channel points at. */
  abstract head(tenant: string, packId: string, channel: string): Promise<CurrentHead | undefined>;
  /**
   * Points the channel at the version unless it points at that or a newer one, and writes the move into its history.
   * The caller holds the pack's lock. A head moves back only by a rollback.
   */
  abstract move(move: HeadMove): Promise<{ moved: boolean; previous: string | null }>;
  /** The version of exactly this number. */
  abstract judgeable(tenant: string, packId: string, version: string): Promise<JudgeableVersion | undefined>;
  /** What the tenant's versions were let into, by publish or promotion: those behind a place, in the order of their names. */
  abstract decisions(
    tenant: string,
    after: DecidedPlace | null,
    limit: number,
  ): Promise<readonly (DecidedPlace & { readonly type: PackType })[]>;
}
