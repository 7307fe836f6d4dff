import type { Digest } from '@packs/domain';

/** A blob in quarantine that this worker looks for on a tenant's mirrors, while its lease is renewed in time. */
export interface HeldRepair {
  readonly id: string;
  readonly owner: string;
  readonly tenant: string;
  readonly digest: Digest;
  readonly size: number;
  readonly attempt: number;
}

/** What mirrors are asked to give back. */
export abstract class RepairQueue {
  /** Asks once more for what was looked for before. @returns false when the event had taken effect before */
  abstract ask(eventId: string, wanted: { readonly tenant: string; readonly digest: Digest; readonly size: number }): Promise<boolean>;

  abstract claim(owner: string, leaseMs: number): Promise<HeldRepair | undefined>;

  /** @throws LeaseLost */
  abstract renew(repair: HeldRepair, leaseMs: number): Promise<void>;

  /** Whether the blob is in quarantine still. */
  abstract isWanted(repair: HeldRepair): Promise<boolean>;

  /** @param code why it failed @throws LeaseLost */
  abstract finish(repair: HeldRepair, code?: string): Promise<void>;

  /** @throws LeaseLost */
  abstract retryLater(repair: HeldRepair, code: string, delayMs: number): Promise<void>;
}
