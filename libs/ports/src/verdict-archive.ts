import type { FoundBlob, ReplayRange, VerdictPlace, VerdictQuestion } from '@packs/contracts';
import type { Digest, SigningPolicy, Verdict } from '@packs/domain';

/** A verdict as it was stored. */
export interface ArchivedVerdict {
  readonly tenant: string;
  /** The name it was stored by. */
  readonly hash: Digest;
  readonly verdict: Verdict;
  /** Null for one that was stored before questions were kept. */
  readonly question: VerdictQuestion | null;
}

export type VerdictFilter = Pick<ReplayRange, 'tenant' | 'since'>;

/** Every verdict of a registry with what it leaned on, for reading alone. */
export abstract class VerdictArchive {
  /** Those behind a place, in an order that does not change; verdicts that are stored meanwhile may lie before it. */
  abstract page(filter: VerdictFilter, after: VerdictPlace | null, limit: number): Promise<readonly ArchivedVerdict[]>;
  /** How many lie behind a place. */
  abstract count(filter: VerdictFilter, after: VerdictPlace | null): Promise<number>;
  /** The version that was published by a verdict. */
  abstract publishedBy(place: VerdictPlace): Promise<{ readonly packId: string; readonly version: string } | undefined>;
  /** Versions of policies that the tenant has or had; those that are not there are left out. */
  abstract policies(tenant: string, names: VerdictQuestion['policies']): Promise<readonly SigningPolicy[]>;
  /** Where bytes lie now; what is not recorded is left out. */
  abstract blobs(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, FoundBlob>>;
}
