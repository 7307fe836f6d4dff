import type { MirrorJob, MirrorRecord, MirrorSettings, SkippedVersion } from '@packs/contracts';
import type { Digest, ErrorCode } from '@packs/domain';
import type { Inbox } from './inbox';
import type { MirrorObject } from './mirror-target';
import type { Outbox } from './outbox';
import type { SealHold } from './seal-store';

/** A change of settings, and by whom. */
export interface MirrorChange {
  readonly settings: MirrorSettings;
  readonly actor: string;
  readonly at: Date;
}

export abstract class MirrorStore {
  /** Serializes changes of the tenant's mirrors until the transaction ends. */
  abstract lock(tenant: string): Promise<void>;
  abstract list(tenant: string): Promise<MirrorRecord[]>;
  abstract find(tenant: string, id: string): Promise<MirrorRecord | undefined>;
  abstract add(tenant: string, id: string, change: MirrorChange): Promise<MirrorRecord>;
  /** With another location or kind, nothing recorded of what was copied to the old one stays. */
  abstract update(tenant: string, id: string, change: MirrorChange): Promise<MirrorRecord>;
  abstract remove(tenant: string, id: string): Promise<void>;
  /** The next sync reads every byte again. */
  abstract demandVerify(tenant: string, id: string): Promise<void>;
}

/** Why a job is wanted. */
export interface JobCause {
  readonly cause: MirrorJob['cause'];
  readonly requestedBy: string;
  readonly source: string | null;
  readonly verify: boolean;
  /** When the change happened that it is to bring to the mirror. */
  readonly changedAt: Date | null;
}

export abstract class MirrorJobStore {
  /** The mirror's queued job: the one that is there, which then does this too, or a new one. */
  abstract enqueue(tenant: string, mirrorId: string, cause: JobCause): Promise<MirrorJob>;
  abstract running(tenant: string, mirrorId: string): Promise<MirrorJob | undefined>;
  /** A job that waits for its next attempt is tried at once. */
  abstract hurry(tenant: string, mirrorId: string): Promise<void>;
  /** Ends whatever is queued or runs. */
  abstract cancel(tenant: string, mirrorId: string, code: ErrorCode, message: string): Promise<void>;
}

export interface MirrorTx {
  readonly mirrors: MirrorStore;
  readonly jobs: MirrorJobStore;
  readonly seal: SealHold;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
}

export abstract class MirrorUnitOfWork {
  /** One transaction as `tenant`: all of `work` or nothing. */
  abstract run<T>(tenant: string, work: (tx: MirrorTx) => Promise<T>): Promise<T>;
}

/** A job that this worker holds: nobody else works on it while its lease is renewed in time. */
export interface HeldJob {
  readonly id: string;
  readonly tenant: string;
  readonly mirrorId: string;
  readonly owner: string;
  readonly verify: boolean;
  readonly attempt: number;
  readonly requestedBy: string;
  readonly source: string | null;
}

export interface SyncCounts {
  readonly versions: number;
  readonly totalVersions: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly copiedBytes: number;
  readonly repaired: number;
  readonly skipped: number;
}

export interface SyncOutcome {
  readonly stateDigest: Digest;
  readonly counts: SyncCounts;
  readonly skipped: readonly SkippedVersion[];
}

/** The end of a job. Both answer with the mirror as it is then. */
export interface SettlingTx {
  succeed(outcome: SyncOutcome): Promise<MirrorRecord>;
  fail(error: { readonly code: string; readonly message: string }): Promise<MirrorRecord>;
  readonly outbox: Outbox;
}

/** Work to be done, over all tenants. */
export abstract class MirrorQueue {
  /** Takes the oldest job that may be begun: queued while no other of its mirror runs, or running with a lease or a pause that ended. */
  abstract claim(owner: string, leaseMs: number): Promise<HeldJob | undefined>;

  /** @throws LeaseLost */
  abstract renew(job: HeldJob, leaseMs: number): Promise<void>;

  /** Paths where a copy of a digest was proven and recorded. */
  abstract copiesOf(job: HeldJob, paths: readonly string[]): Promise<ReadonlyMap<string, Digest>>;

  /** Records proven copies and how far the job is. @throws LeaseLost */
  abstract progress(job: HeldJob, copies: readonly Omit<MirrorObject, 'wave'>[], counts: SyncCounts): Promise<void>;

  /** Nothing lies at these paths any more. @throws LeaseLost */
  abstract forget(job: HeldJob, paths: readonly string[]): Promise<void>;

  /**
   * One transaction in which nobody else can take the job over: what is shown and what is recorded in it are one.
   * @throws LeaseLost
   */
  abstract settle(job: HeldJob, work: (tx: SettlingTx) => Promise<void>): Promise<void>;

  /** Lets the job be tried again after a pause. @throws LeaseLost */
  abstract retryLater(job: HeldJob, error: { code: string; message: string }, delayMs: number): Promise<void>;

  /** Gives the job back as if it had not been begun. @throws LeaseLost */
  abstract release(job: HeldJob): Promise<void>;

  /** Queues a job for each enabled mirror whose interval has passed; returns how many. */
  abstract enqueueDue(): Promise<number>;

  abstract backlog(): Promise<{ readonly depth: number; readonly lagSeconds: number }>;
}

/** The gateway's side. */
export abstract class MirrorReadModel {
  abstract list(tenant: string): Promise<MirrorRecord[]>;
  abstract find(tenant: string, id: string): Promise<MirrorRecord | undefined>;
  abstract jobs(
    tenant: string,
    mirrorId: string,
    before: string | null,
    limit: number,
  ): Promise<{ jobs: MirrorJob[]; next: string | null }>;
  abstract job(tenant: string, mirrorId: string, jobId: string): Promise<MirrorJob | undefined>;
}
