import type { AuditEntry } from '@packs/domain';

export interface AuditQuery {
  /** Entries after this `seq`. */
  readonly after: number;
  readonly limit: number;
  readonly packId?: string;
  readonly type?: string;
}

export abstract class AuditReadModel {
  /** Entries of the tenant in order of `seq`. */
  abstract entries(tenant: string, query: AuditQuery): Promise<(AuditEntry & { readonly leafHash: string })[]>;
  /** The tenant's newest `seq`, 0 when its log is empty. */
  abstract head(tenant: string): Promise<number>;
}
