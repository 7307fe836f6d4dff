import type { Scrub } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { StoredBlob } from './blob-store';

/** A scrub that this process holds: nobody else works on it while its lease is renewed in time. */
export interface HeldScrub {
  readonly id: string;
  readonly owner: string;
  /** The last digest it has gone through; empty before the first. */
  readonly cursor: string;
}

/** What was gone through since the progress was recorded last. */
export interface ScrubProgress {
  readonly cursor: string;
  readonly examined: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly unreadable: number;
  readonly digests: readonly Digest[];
}

/** Scrubs, one at a time in the whole registry. */
export abstract class ScrubQueue {
  /** @throws DomainError ERR_PACK_CONFLICT while another has not ended; its `details.id` names it */
  abstract add(wanted: Pick<Scrub, 'id' | 'requestedBy' | 'since' | 'sample'>): Promise<Scrub>;

  /** Adds one for the schedule unless one has not ended or was asked for within the interval. */
  abstract addDue(id: string, requestedBy: string, intervalSeconds: number): Promise<boolean>;

  abstract find(id: string): Promise<Scrub | undefined>;

  /** @returns undefined when there is none */
  abstract cancel(id: string): Promise<Scrub | undefined>;

  abstract claim(owner: string, leaseMs: number): Promise<HeldScrub | undefined>;

  /** The next blobs behind the cursor, in the order of their digests. */
  abstract next(scrub: HeldScrub, cursor: string, limit: number): Promise<StoredBlob[]>;

  /** @throws LeaseLost, also when it was cancelled */
  abstract renew(scrub: HeldScrub, leaseMs: number): Promise<void>;

  /** Adds to what is recorded. @throws LeaseLost */
  abstract progress(scrub: HeldScrub, progress: ScrubProgress): Promise<void>;

  /** @throws LeaseLost */
  abstract complete(scrub: HeldScrub): Promise<void>;

  /** Lets it be taken again after a pause. @throws LeaseLost */
  abstract release(scrub: HeldScrub, delayMs: number): Promise<void>;
}
