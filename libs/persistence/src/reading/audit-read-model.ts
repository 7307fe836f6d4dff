import type { AuditEntry } from '@packs/domain';
import { AuditReadModel, type AuditQuery } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { readAs } from '../transaction';

export class PostgresAuditReadModel extends AuditReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async entries(tenant: string, query: AuditQuery): Promise<(AuditEntry & { leafHash: string })[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ leaf: Buffer; leaf_hash: Buffer }>(
        `select leaf, leaf_hash from compliance.audit_log
         where tenant = $1 and seq > $2 and ($3::text is null or pack_id = $3) and ($4::text is null or type = $4)
         order by seq limit $5`,
        [tenant, query.after, query.packId ?? null, query.type ?? null, query.limit],
      ),
    );
    return rows.map(row => ({ ...(JSON.parse(row.leaf.toString('utf8')) as AuditEntry), leafHash: row.leaf_hash.toString('hex') }));
  }

  async head(tenant: string): Promise<number> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ seq: string }>(`select seq from compliance.audit_heads where tenant = $1`, [tenant]),
    );
    return Number(rows[0]?.seq ?? 0);
  }
}
