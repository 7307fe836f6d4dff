import type { AttestationState, Digest, PackType } from '@packs/domain';
import type { Inbox } from './inbox';

/** The event a fact comes from. */
export interface FactSource {
  readonly eventId: string;
  readonly at: string;
}

/** Whether every scanner that was wanted looked at a version when it was published, some, or none. */
export type ScanState = 'scanned' | 'partly-scanned' | 'not-scanned';

/** What one event says of the coverage of a tenant's versions. */
export type CoverageFact =
  | {
      readonly kind: 'published';
      readonly packId: string;
      readonly version: string;
      readonly packType: PackType;
      readonly publishedAt: string;
      /** Key ids of those whose signatures were valid. */
      readonly signers: readonly Digest[];
      /** Signatures it came with, valid or not. */
      readonly signatures: number;
      readonly scanState: ScanState;
    }
  | {
      readonly kind: 'retired';
      readonly packId: string;
      readonly version: string;
      readonly deprecatedAt: string;
      readonly archivedAt: string | null;
    }
  | { readonly kind: 'head'; readonly packId: string; readonly version: string; readonly channel: string }
  | {
      readonly kind: 'attested';
      readonly packId: string;
      readonly version: string;
      readonly digest: Digest;
      readonly predicateType: string;
      readonly signers: readonly Digest[];
    }
  | {
      readonly kind: 'reassessed';
      readonly packId: string;
      readonly version: string;
      readonly digest: Digest;
      readonly predicateType: string;
      readonly signers: readonly Digest[];
      readonly state: AttestationState;
      /** Of the changes of one attestation the one with the highest number counts. */
      readonly seq: number;
      /** The trust epoch it was found under; null where a person decided. */
      readonly epoch: number | null;
    }
  | { readonly kind: 'trust'; readonly epoch: number; readonly keyIds: readonly Digest[] };

export interface SourcedFact {
  readonly fact: CoverageFact;
  readonly source: FactSource;
}

/** Facts may be added in any order and more than once: the same facts always leave the same rows. */
export abstract class CoverageStore {
  abstract add(tenant: string, facts: readonly SourcedFact[]): Promise<void>;
}

export interface CoverageTx {
  readonly coverage: CoverageStore;
  readonly inbox: Inbox;
}

export abstract class CoverageUnitOfWork {
  /**
   * One transaction as `tenant`: all of `work` or nothing.
   * @throws DomainError ERR_PACK_UNAVAILABLE (`retry: later`) while the tenant's coverage is being rebuilt
   */
  abstract run<T>(tenant: string, work: (tx: CoverageTx) => Promise<T>): Promise<T>;

  /**
   * One transaction that begins with an empty coverage of the tenant and an inbox that knows none of its messages.
   * @throws DomainError ERR_PACK_CONFLICT while another rebuild is under way
   */
  abstract rebuild<T>(tenant: string, work: (tx: CoverageTx) => Promise<T>): Promise<T>;
}
