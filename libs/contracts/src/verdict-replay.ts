import type { Digest, ErrorCode } from '@packs/domain';

/** Where two verdicts on one question part: the first check that differs, else the first member that does. */
export interface VerdictDifference {
  /** The check's id, or the verdict's member. */
  readonly check: string;
  readonly was: string;
  readonly is: string;
}

/** Why a verdict cannot be found again. */
export type ReplayObstacle =
  /** It was stored before questions were kept. */
  | 'no-question'
  /** A policy, blob or trust material that it leaned on is not on record. */
  | 'not-kept'
  /** Bytes are missing, in quarantine, or not those of their digest. */
  | 'damaged'
  /** What was kept of the question, or the trust material, is no longer understood. */
  | 'not-understood';

/** One verdict that was not simply found again. */
export interface ReplayFinding {
  readonly tenant: string;
  readonly packId: string | null;
  readonly version: string | null;
  readonly bundle: Digest;
  readonly verdict: Digest;
  /** `altered`: what is stored under the hash has another. */
  readonly outcome: 'differs' | 'altered' | 'skipped';
  /** Of a verdict that differs or was altered: the hash that was found in place of the stored one. */
  readonly found?: Digest;
  readonly difference?: VerdictDifference;
  readonly obstacle?: ReplayObstacle;
  readonly reason?: string;
  /** Whether the registry had promised that this does not happen. */
  readonly isFault: boolean;
}

/** The last verdict that was gone through. */
export interface VerdictPlace {
  readonly tenant: string;
  readonly hash: Digest;
}

/** Which verdicts are run again. */
export interface ReplayRange {
  /** Absent: of every tenant. */
  readonly tenant?: string;
  /** Stored from then on; RFC 3339. */
  readonly since?: string;
  /** Those behind this one; null: from the first. */
  readonly after: VerdictPlace | null;
  /** At most so many. */
  readonly limit?: number;
}

/** What the program that runs verdicts again writes, a line of JSON each. The last is not of the kind `step` or `total`. */
export type ReplayLine =
  | { readonly kind: 'total'; readonly verdicts: number }
  | { readonly kind: 'step'; readonly examined: number; readonly findings: readonly ReplayFinding[]; readonly after: VerdictPlace }
  /** `complete`: nothing is left of the range. */
  | { readonly kind: 'end'; readonly complete: boolean }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };
