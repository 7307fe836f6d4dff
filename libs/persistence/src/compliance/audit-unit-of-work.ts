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
    eventIds: readonly string[],
    build: (eventId: string, seq: number) => { entry: AuditEntry; leaf: AuditLeaf },
  ): Promise<AuditEntry[]> {
    const fresh = await this.sql.query<{ id: string; seq: string }>(
      `with fresh as (
         select e.id, row_number() over (order by e.n) as place, count(*) over () as places
         from unnest($2::text[]) with ordinality as e(id, n)
         where not exists (select 1 from compliance.audit_log where tenant = $1 and event_id = e.id)),
       head as (
         insert into compliance.audit_heads as head (tenant, seq) select $1, places from fresh limit 1
         on conflict (tenant) do update set seq = head.seq + excluded.seq returning seq)
       select id, seq - places + place as seq from fresh, head order by place`,
      [tenant, eventIds],
    );
    const built = fresh.map(({ id, seq }) => build(id, Number(seq)));
    if (built.length > 0) await this.insert(tenant, built);
    return built.map(({ entry }) => entry);
  }

  private async insert(tenant: string, built: readonly { entry: AuditEntry; leaf: AuditLeaf }[]): Promise<void> {
    const entries = built.map(({ entry }) => entry);
    await this.sql.query(
      `insert into compliance.audit_log (tenant, seq, event_id, type, pack_id, version, occurred_at, leaf, leaf_hash)
       select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bytea[], $9::bytea[])`,
      [
        tenant,
        entries.map(({ seq }) => seq),
        entries.map(({ id }) => id),
        entries.map(({ type }) => type),
        entries.map(({ packId }) => packId),
        entries.map(({ version }) => version),
        entries.map(({ occurredAt }) => occurredAt),
        built.map(({ leaf }) => leaf.bytes),
        built.map(({ leaf }) => leaf.hash),
      ],
    );
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
