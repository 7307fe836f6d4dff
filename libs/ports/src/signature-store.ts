import type { VerdictQuestion } from '@packs/contracts';
import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import type { StoredBlob } from './blob-store';
import type { NewSignature } from './registry-unit-of-work';

/** A channel that points at a version, and the policy by which the version was let into it. */
export interface ChannelPolicy {
  readonly channel: string;
  readonly policy: SigningPolicy | null;
}

/** Signatures that come, and such as they take the place of. */
export interface NewRotation {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  /** Digest of the version's manifest. */
  readonly subject: Digest;
  readonly added: readonly NewSignature[];
  readonly replaced: readonly Digest[];
  readonly reason: string | null;
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
  readonly question: VerdictQuestion;
  readonly rotatedAt: string;
  readonly actor: string;
  readonly source: string | null;
  /** Blobs this transaction has to record: referrers, stored but not yet known. */
  readonly blobs: readonly StoredBlob[];
}

/** The signatures of published versions. What is replaced stays in the history, and counts for nothing. */
export abstract class SignatureStore {
  /** The channels that point at the version, by name. */
  abstract channelPolicies(tenant: string, packId: string, version: string): Promise<readonly ChannelPolicy[]>;
  /** Those of the digests that were a signature of the version and are none now. */
  abstract retired(tenant: string, packId: string, version: string, digests: readonly Digest[]): Promise<readonly Digest[]>;
  /**
   * The caller holds the pack's lock.
   * @returns the number of the rotation, counted from 1 for each version
   */
  abstract rotate(rotation: NewRotation): Promise<number>;
}

/** Whether a published version may be served, as it was recorded last. */
export interface Standing {
  /** The epoch under which it was accepted last; null while it is withdrawn. */
  readonly acceptedEpoch: number | null;
  readonly withdrawal: Withdrawal | null;
  /** How often it was withdrawn or restored. */
  readonly changes: number;
  readonly signatures: readonly Digest[];
}

/** That a version is not served, and why. */
export interface Withdrawal {
  readonly at: string;
  /** The trust epoch of the verdict. */
  readonly epoch: number;
  readonly reasons: readonly string[];
  readonly verdictHash: Digest;
}

export interface VersionKey {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
}

export abstract class StandingStore {
  /** Nobody else changes it, or the version's signatures, before this transaction ends. Undefined: there is no such version. */
  abstract lock(key: VersionKey): Promise<Standing | undefined>;
  /** The verdict of the withdrawal is stored. */
  abstract withdraw(key: VersionKey, withdrawal: Withdrawal): Promise<void>;
  /** It was accepted under this epoch. A version that was withdrawn is served again. */
  abstract accept(key: VersionKey, epoch: number): Promise<void>;
}
