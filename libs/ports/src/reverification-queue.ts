/** A pass over a tenant's versions that this process holds: nobody else works on it while its lease is renewed in time. */
export interface HeldReverification {
  /** The tenant: it has one pass at a time. */
  readonly id: string;
  readonly owner: string;
  readonly cause: ReverificationCause;
  readonly cursor: ReverificationCursor;
  /** How often it was cut short since it last got on. */
  readonly attempts: number;
}

/** `trust`: what was judged under the current epoch already is passed over. */
export type ReverificationCause = 'trust' | 'schedule' | 'request';

/** The last version it has gone through; empty before the first. */
export interface ReverificationCursor {
  readonly packId: string;
  readonly version: string;
}

/** What was gone through since the progress was recorded last. */
export interface ReverificationProgress {
  readonly cursor: ReverificationCursor;
  readonly examined: number;
  readonly withdrawn: number;
  readonly restored: number;
  readonly failed: number;
}

/** How a tenant's pass stands. */
export interface ReverificationState extends Omit<ReverificationProgress, 'cursor'> {
  readonly state: 'queued' | 'running' | 'completed';
  readonly cause: ReverificationCause;
  readonly epoch: number;
  readonly requestedAt: string;
  readonly requestedBy: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface ReverificationIntervals {
  /** From the end of a pass to the next. */
  readonly seconds: number;
  /** The same after a pass in which no verdict could be had of some versions: then only those are gone through that are not accepted under the current epoch. */
  readonly afterFailureSeconds: number;
}

/** Passes over the versions of tenants. A change of trust begins its tenant's anew, by itself. */
export abstract class ReverificationQueue {
  /** Begins one, in the place of one that has not ended. */
  abstract request(tenant: string, requestedBy: string): Promise<ReverificationState>;
  /** Begins those whose time has come. @returns whether there were any */
  abstract addDue(requestedBy: string, intervals: ReverificationIntervals): Promise<boolean>;
  abstract claim(owner: string, leaseMs: number): Promise<HeldReverification | undefined>;
  /** The next versions behind the cursor, with the epoch under which each was accepted last; null for those that are withdrawn. */
  abstract next(
    held: HeldReverification,
    cursor: ReverificationCursor,
    limit: number,
  ): Promise<readonly (ReverificationCursor & { readonly acceptedEpoch: number | null })[]>;
  /** @throws LeaseLost, also when it was begun anew */
  abstract renew(held: HeldReverification, leaseMs: number): Promise<void>;
  /** Adds to what is recorded. @throws LeaseLost */
  abstract progress(held: HeldReverification, progress: ReverificationProgress): Promise<void>;
  /** @throws LeaseLost */
  abstract complete(held: HeldReverification): Promise<void>;
  /** Lets it be taken again after a pause. @throws LeaseLost */
  abstract release(held: HeldReverification, delayMs: number): Promise<void>;
}

/** For those who look at a tenant's pass. */
export abstract class ReverificationReadModel {
  /** Undefined: there was none yet. */
  abstract find(tenant: string): Promise<ReverificationState | undefined>;
}
