import type { AuditEntry, AuditLeaf } from '@packs/domain';
import { AuditLog, AuditUnitOfWork, Inbox, type AuditTx } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction, type Sql } from '../transaction';

class PostgresAuditLog extends AuditLog {
  constructor(private readonly sql: Sql) {
    super();
  }

  async append(tenant: string, build: (seq: number) => { entry: AuditEntry; leaf: AuditLeaf }): Promise<AuditEntry> {
    const [head] = await this.sql.query<{ seq: string }>(
      `insert into compliance.audit_heads as head (tenant, seq) values ($1, 1)
       on conflict (tenant) do update set seq = head.seq + 1 returning seq`,
      [tenant],
    );
    const { entry, leaf } = build(Number(head?.seq));
    await this.sql.query(
      `insert into compliance.audit_log (tenant, seq, event_id, type, pack_id, version, occurred_at, leaf, leaf_hash)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenant, entry.seq, entry.id, entry.type, entry.packId, entry.version, entry.occurredAt, leaf.bytes, leaf.hash],
    );
    return entry;
  }
}

class PostgresInbox extends Inbox {
  constructor(
    private readonly sql: Sql,
    private readonly schema: string,
  ) {
    super();
  }

  async register(consumer: string, messageId: string): Promise<boolean> {
    const rows = await this.sql.query(
      `insert into ${this.schema}.inbox (consumer, message_id) values ($1, $2) on conflict do nothing returning message_id`,
      [consumer, messageId],
    );
    return rows.length > 0;
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
