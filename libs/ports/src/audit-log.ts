import type { AuditEntry, AuditLeaf } from '@packs/domain';
import type { Inbox } from './inbox';

/** The writer's side of the audit log. */
export abstract class AuditLog {
  /**
   * Appends the entry that `build` makes for the tenant's next `seq`, under the lock of that tenant's head row.
   * Sequences have no gaps: a transaction that fails gives its number back.
   * @returns undefined when the log has an entry of this event, however long ago it was appended
   */
  abstract append(
    tenant: string,
    eventId: string,
    build: (seq: number) => { entry: AuditEntry; leaf: AuditLeaf },
  ): Promise<AuditEntry | undefined>;
}

export interface AuditTx {
  readonly audit: AuditLog;
  readonly inbox: Inbox;
}

export abstract class AuditUnitOfWork {
  /** One transaction as `tenant`: all of `work` or nothing. */
  abstract run<T>(tenant: string, work: (tx: AuditTx) => Promise<T>): Promise<T>;
}
