import type { AuditEntry, AuditLeaf } from '@packs/domain';
import type { Inbox } from './inbox';

/** The writer's side of the audit log. */
export abstract class AuditLog {
  /**
   * Appends, in the order of the events, the entries that `build` makes for the tenant's next `seq`s, under the lock of that tenant's head
   * row. Events that the log has an entry of, however long ago it was appended, are left out.
   * Sequences have no gaps: a transaction that fails gives its numbers back.
   */
  abstract append(
    tenant: string,
    eventIds: readonly string[],
    build: (eventId: string, seq: number) => { entry: AuditEntry; leaf: AuditLeaf },
  ): Promise<AuditEntry[]>;
}

export interface AuditTx {
  readonly audit: AuditLog;
  readonly inbox: Inbox;
}

export abstract class AuditUnitOfWork {
  /** One transaction as `tenant`: all of `work` or nothing. */
  abstract run<T>(tenant: string, work: (tx: AuditTx) => Promise<T>): Promise<T>;
}
