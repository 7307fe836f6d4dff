import type { AuditEntry, AuditLeaf } from '@packs/domain';
import { AuditLog, AuditUnitOfWork, type AuditTx } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresInbox } from '../inbox';
import { inTransaction, type Sql } from '../transaction';

class PostgresAuditLog extends AuditLog {
  constructor(private readonly sql: Sql) {
    super();
  }

  async append(
    tenant: string,
    eventId: string,
    build: (seq: number) => { entry: AuditEntry; leaf: AuditLeaf },
  ): Promise<AuditEntry | undefined> {
    const [head] = await this.sql.query<{ seq: string }>(
      `insert into compliance.audit_heads as head (tenant, seq)
         select $1, 1 where not exists (select 1 from compliance.audit_log where tenant = $1 and event_id = $2)
       on conflict (tenant) do update set seq = head.seq + 1 returning seq`,
      [tenant, eventId],
    );
    if (!head) return undefined;
    const { entry, leaf } = build(Number(head.seq));
    await this.sql.query(
      `insert into compliance.audit_log (tenant, seq, event_id, type, pack_id, version, occurred_at, leaf, leaf_hash)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenant, entry.seq, entry.id, entry.type, entry.packId, entry.version, entry.occurredAt, leaf.bytes, leaf.hash],
    );
    return entry;
  }
}

export class PostgresAuditUnitOfWork extends AuditUnitOfWork {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  run<T>(tenant: string, work: (tx: AuditTx) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, tenant, sql =>
      work({ audit: new PostgresAuditLog(sql), inbox: new PostgresInbox(sql, 'compliance') }),
    );
  }
}
