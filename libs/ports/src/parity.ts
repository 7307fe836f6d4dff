import type { MirrorParity, ParityCheck, ParityCounts, ParityDepth, ParityDifference, ParityRow, ParityState } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { Inbox } from './inbox';
import type { Outbox } from './outbox';

/** Why a comparison is wanted. */
export interface ComparisonCause {
  readonly cause: ParityCheck['cause'];
  readonly depth: ParityDepth;
  readonly requestedBy: string;
  readonly source: string | null;
}

/** What an event says of a mirror before anybody has looked there. */
export interface PendingChange {
  readonly mirrorId: string;
  readonly changedAt: Date;
  /** The version that changed and how it now stands; null: any may have. */
  readonly version: { readonly packId: string; readonly version: string; readonly state: ParityDifference } | null;
}

export interface ParityTx {
  /** The mirror's queued comparison: the one that is there, then as deep as the deeper of both, or a new one. */
  enqueue(mirrorId: string, cause: ComparisonCause): Promise<ParityCheck>;
  /** The mirror is out of step until a comparison that began later says otherwise. */
  markPending(change: PendingChange): Promise<void>;
  /** Nothing of the mirror stays. */
  forget(mirrorId: string): Promise<void>;
  readonly inbox: Inbox;
}

export abstract class ParityUnitOfWork {
  /** One transaction as `tenant`: all of `work` or nothing. */
  abstract run<T>(tenant: string, work: (tx: ParityTx) => Promise<T>): Promise<T>;
}

/** A comparison that this worker holds: nobody else works on it while its lease is renewed in time. */
export interface HeldComparison {
  readonly id: string;
  readonly tenant: string;
  readonly mirrorId: string;
  readonly owner: string;
  readonly depth: ParityDepth;
  readonly attempt: number;
  readonly requestedBy: string;
  readonly source: string | null;
}

/** What a comparison found of one version, or of a file that belongs to none. */
export interface ParityFinding {
  /** Null: a file that belongs to no version. */
  readonly version: { readonly packId: string; readonly version: string } | null;
  /** The file that differs first, or that belongs to no version. */
  readonly path: string | null;
  readonly state: ParityState;
  /** Whether it is known from the mirror's files; what its index says does not disprove it. */
  readonly byBytes: boolean;
  /** Names the exact files that were hashed and found right; null: they were not. */
  readonly proof: Digest | null;
}

export interface ComparisonProgress {
  readonly versions: number;
  readonly totalVersions: number;
  readonly hashedBytes: number;
}

/** What was told before of how the mirror stands. */
export interface AnnouncedDrift {
  /** Kinds of differences there were; none: it was in step. */
  readonly kinds: readonly ParityState[];
  /** Completed syncs of the mirror at that time. */
  readonly seq: number;
}

export interface FinishingTx {
  readonly counts: ParityCounts;
  readonly announced: AnnouncedDrift;
  first(limit: number): Promise<Pick<ParityFinding, 'version' | 'path' | 'state'>[]>;
  announce(drift: AnnouncedDrift): Promise<void>;
  readonly outbox: Outbox;
}

/** Comparisons to be made, over all tenants. */
export abstract class ParityQueue {
  /** Takes the oldest that may be begun: its mirror is neither compared nor synced at the moment. What an earlier attempt found is gone. */
  abstract claim(owner: string, leaseMs: number): Promise<HeldComparison | undefined>;

  /** @throws LeaseLost */
  abstract renew(held: HeldComparison, leaseMs: number): Promise<void>;

  /** What the last finished comparison found of these versions, by `packId@version`. */
  abstract before(
    held: HeldComparison,
    versions: readonly { packId: string; version: string }[],
  ): Promise<ReadonlyMap<string, ParityFinding>>;

  /** Those of the paths that no sync has recorded as written by it. */
  abstract unrecorded(held: HeldComparison, paths: readonly string[]): Promise<string[]>;

  /** Keeps findings where nobody sees them yet. @throws LeaseLost */
  abstract record(held: HeldComparison, findings: readonly ParityFinding[], progress: ComparisonProgress): Promise<void>;

  /**
   * Shows everything found in place of what was shown before, in one transaction. Changes told of since it began stay pending.
   * @param seq the mirror's completed syncs when it began; it counts only when there was none since and none is under way
   * @throws LeaseLost
   * @returns false, and shows nothing, when the mirror was synced meanwhile
   */
  abstract finish(held: HeldComparison, seq: number, work: (tx: FinishingTx) => Promise<void>): Promise<boolean>;

  /** Ends it without a result: how the mirror stands is not known. @throws LeaseLost */
  abstract fail(held: HeldComparison, error: { readonly code: string; readonly message: string }): Promise<void>;

  /** Lets it be tried again after a pause; `counted` says whether this attempt counts, and with its `error` how the mirror stands is not known. @throws LeaseLost */
  abstract retryLater(held: HeldComparison, delayMs: number, counted: boolean, error?: { code: string; message: string }): Promise<void>;

  /** Queues a comparison of every byte for each mirror that was last compared so before `intervalSeconds`; returns how many. */
  abstract enqueueDue(intervalSeconds: number): Promise<number>;

  /** Mirrors that are out of step. */
  abstract outOfStep(): Promise<number>;
}

/** The gateway's side. */
export abstract class ParityReadModel {
  abstract mirrors(tenant: string, mirrorId: string | null): Promise<MirrorParity[]>;
  abstract rows(
    tenant: string,
    filter: { readonly mirrorId: string | null; readonly state: ParityState | null; readonly after: string | null; readonly limit: number },
  ): Promise<{ rows: ParityRow[]; next: string | null }>;
  abstract check(tenant: string, id: string): Promise<ParityCheck | undefined>;
}
