import type { FoundBlob, VerdictPlace, VerdictQuestion } from '@packs/contracts';
import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import { VerdictArchive, type ArchivedVerdict, type VerdictFilter } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { callEach, inTransaction, readAs, type SqlValue } from '../transaction';

const BEHIND = `($1::text is null or v.tenant = $1) and ($2::timestamptz is null or v.created_at >= $2) and (v.tenant, v.hash) > ($3, $4)`;

/** With the auditor's login: others see no verdicts of all tenants. */
export class PostgresVerdictArchive extends VerdictArchive {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async page(filter: VerdictFilter, after: VerdictPlace | null, limit: number): Promise<readonly ArchivedVerdict[]> {
    const rows = await this.ofAllTenants<{ tenant: string; hash: Digest; document: Verdict; question: VerdictQuestion | null }>(
      `select v.tenant, v.hash, v.document, v.question from registry.verdicts v where ${BEHIND} order by v.tenant, v.hash limit $5`,
      [...behind(filter, after), limit],
    );
    return rows.map(({ tenant, hash, document, question }) => ({ tenant, hash, verdict: document, question }));
  }

  async count(filter: VerdictFilter, after: VerdictPlace | null): Promise<number> {
    const [row] = await this.ofAllTenants<{ n: string }>(
      `select count(*) as n from registry.verdicts v where ${BEHIND}`,
      behind(filter, after),
    );
    return Number(row?.n ?? 0);
  }

  async publishedBy({ tenant, hash }: VerdictPlace): Promise<{ packId: string; version: string } | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ packId: string; version: string }>(
        `select v.pack_id as "packId", v.version from registry.pack_versions v where v.tenant = $1 and v.verdict_hash = $2
         order by v.published_at limit 1`,
        [tenant, hash],
      ),
    );
    return row;
  }

  async policies(tenant: string, names: VerdictQuestion['policies']): Promise<readonly SigningPolicy[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ document: SigningPolicy }>(
        `select p.document from unnest($2::text[], $3::integer[]) with ordinality as w(name, version, at)
         join registry.policies p on p.tenant = $1 and p.name = w.name and p.version = w.version order by w.at`,
        [tenant, names.map(([name]) => name), names.map(([, version]) => version)],
      ),
    );
    return rows.map(({ document }) => document);
  }

  async blobs(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, FoundBlob>> {
    const rows = await callEach<{ digest: Digest; size: string; object_key: string }>(
      this.dataSource,
      `select b.digest, b.size, b.object_key from content.blobs b where b.digest = any($1)`,
      [digests],
    );
    return new Map(rows.map(row => [row.digest, { digest: row.digest, size: Number(row.size), objectKey: row.object_key }]));
  }

  private ofAllTenants<Row>(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return inTransaction(this.dataSource, null, sql => sql.query<Row>(text, values), 'read only');
  }
}

function behind({ tenant, since }: VerdictFilter, after: VerdictPlace | null): SqlValue[] {
  return [tenant ?? null, since ?? null, after?.tenant ?? '', after?.hash ?? ''];
}
