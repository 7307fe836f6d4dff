import type { Digest } from '@packs/domain';
import {
  TrustBundleStore,
  TrustWatchStore,
  type ComparedFile,
  type ImportedTrustBundle,
  type TrustFindings,
  type TrustTotals,
  type TrustWatch,
} from '@packs/ports';
import type { Sql } from '../transaction';

interface BundleRow {
  version: string;
  digest: Digest;
  document: Digest;
  document_size: string;
  document_key: string;
  material: Digest;
  valid_until: Date;
  imported_at: Date;
  imported_by: string;
}

export class PostgresTrustBundleStore extends TrustBundleStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async current(tenant: string): Promise<ImportedTrustBundle | undefined> {
    const [row] = await this.sql.query<BundleRow>(
      `select t.version, t.digest, t.document, b.size as document_size, b.object_key as document_key, t.material, t.valid_until,
         t.imported_at, t.imported_by
       from registry.trust_bundles t join content.blobs b on b.digest = t.document
       where t.tenant = $1 order by t.version desc limit 1`,
      [tenant],
    );
    return row && toBundle(row);
  }

  async add(tenant: string, bundle: ImportedTrustBundle): Promise<void> {
    const { version, digest, document, material, validUntil, importedAt, importedBy } = bundle;
    await this.sql.query(
      `insert into registry.trust_bundles (tenant, version, digest, document, material, valid_until, imported_at, imported_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [tenant, version, digest, document.digest, material, validUntil, importedAt, importedBy],
    );
  }
}

function toBundle(row: BundleRow): ImportedTrustBundle {
  return {
    version: Number(row.version),
    digest: row.digest,
    document: { digest: row.document, size: Number(row.document_size), objectKey: row.document_key },
    material: row.material,
    validUntil: row.valid_until.toISOString(),
    importedAt: row.imported_at.toISOString(),
    importedBy: row.imported_by,
  };
}

interface WatchRow {
  changed_at: Date;
  compared: Digest | null;
  findings: TrustFindings;
}

export class PostgresTrustWatchStore extends TrustWatchStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async due(
    now: string,
    file: ComparedFile | null | undefined,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<string[]> {
    const rows = await this.sql.query<{ tenant: string }>(
      `select tenant from registry.trust_watches
       where tenant > $6 and (check_at <= $1
         or $5 and case when $3::text in ('*', tenant) then compared is distinct from $2 else compared is not null end)
       order by tenant limit $4`,
      [now, file?.digest ?? null, file?.tenant ?? null, limit, file !== undefined, after],
    );
    return rows.map(({ tenant }) => tenant);
  }

  async totals(): Promise<TrustTotals> {
    const rows = await this.sql.query<{ days: string | null; count: string }>(
      `select null as days, count(*) from registry.trust_watches where findings->'drift' <> 'null'
       union all
       select e->>'days', count(*) from registry.trust_watches, jsonb_array_elements(findings->'endings') e group by 1`,
    );
    const endings = Object.fromEntries(rows.flatMap(({ days, count }) => (days === null ? [] : [[days, Number(count)]])));
    return { drifted: Number(rows.find(({ days }) => days === null)?.count ?? 0), endings };
  }

  async find(tenant: string): Promise<TrustWatch | undefined> {
    const [row] = await this.sql.query<WatchRow>(`select changed_at, compared, findings from registry.trust_watches where tenant = $1`, [
      tenant,
    ]);
    return row && { changedAt: row.changed_at.toISOString(), compared: row.compared, findings: row.findings };
  }

  async wake(tenant: string, at: string): Promise<void> {
    await this.sql.query(
      `insert into registry.trust_watches (tenant, changed_at, check_at) values ($1, $2, $2)
       on conflict (tenant) do update set check_at = excluded.check_at`,
      [tenant, at],
    );
  }

  async put(tenant: string, { changedAt, compared, findings }: TrustWatch, checkAt: string | null): Promise<void> {
    await this.sql.query(
      `insert into registry.trust_watches (tenant, changed_at, check_at, compared, findings) values ($1, $2, $3, $4, $5)
       on conflict (tenant) do update set changed_at = excluded.changed_at, check_at = excluded.check_at, compared = excluded.compared,
         findings = excluded.findings`,
      [tenant, changedAt, checkAt, compared, JSON.stringify(findings)],
    );
  }
}
