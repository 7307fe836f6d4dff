import { withoutBuild, type Digest, type SigningPolicy, type Verdict } from '@packs/domain';
import { KitRecords, type BlobRef, type StoredBlob, type VersionName, type VersionRecord } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { toStoredBlob, BLOB_COLUMNS, type BlobRow } from '../content-catalog';
import { OUTBOX_SCHEMAS } from '../event-record';
import { inTransaction, readAs, type Sql } from '../transaction';

/** Events this far back have long been taken up. */
const RECENT_EVENTS = 5_000;

export class PostgresKitRecords extends KitRecords {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async isAuditComplete(tenant: string): Promise<boolean> {
    const missing = OUTBOX_SCHEMAS.map(
      schema => `exists (
        select 1 from (
          select event_id, tenant from ${schema}.outbox where sent_at is null
          union select event_id, tenant from (select event_id, tenant from ${schema}.outbox order by id desc limit ${RECENT_EVENTS}) recent) events
        where tenant = $1 and not exists (
          select 1 from compliance.audit_log log where log.tenant = $1 and log.event_id = events.event_id))`,
    );
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ incomplete: boolean }>(`select ${missing.join(' or ')} as incomplete`, [tenant]),
    );
    return row?.incomplete === false;
  }

  async versions(tenant: string, names: readonly VersionName[]): Promise<VersionRecord[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ pack_id: string; version: string; published_by: string; source: string | null; verdict_hash: Digest; document: Verdict }>(
        `select v.pack_id, v.version, v.published_by, v.source, v.verdict_hash, d.document
         from unnest($2::text[], $3::text[]) as wanted(pack_id, version)
         join registry.pack_versions v on v.tenant = $1 and v.pack_id = wanted.pack_id and v.version = wanted.version
         join registry.verdicts d on d.tenant = v.tenant and d.hash = v.verdict_hash`,
        [tenant, names.map(name => name.packId), names.map(name => name.version)],
      ),
    );
    return rows.map(row => ({
      packId: row.pack_id,
      version: row.version,
      publishedBy: row.published_by,
      source: row.source,
      verdict: row.document,
      verdictHash: row.verdict_hash,
    }));
  }

  async policies(tenant: string, names: readonly { name: string; version: number }[]): Promise<SigningPolicy[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ document: SigningPolicy }>(
        `select p.document from unnest($2::text[], $3::int[]) as wanted(name, version)
         join registry.policies p on p.tenant = $1 and p.name = wanted.name and p.version = wanted.version`,
        [tenant, names.map(one => one.name), names.map(one => one.version)],
      ),
    );
    return rows.map(row => row.document);
  }

  async blobs(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const rows = await inTransaction(this.dataSource, null, sql =>
      sql.query<BlobRow>(`select ${BLOB_COLUMNS} from content.blobs b where b.digest = any($1)`, [digests]),
    );
    return new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
  }

  exporters(tenant: string): Promise<BlobRef | null> {
    return readAs(this.dataSource, tenant, sql => selectExporters(sql, tenant));
  }

  async published(tenant: string, names: readonly VersionName[]): Promise<(VersionName & { manifestDigest: Digest })[]> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ pack_id: string; version: string; manifest_digest: Digest }>(
        `select v.pack_id, v.version, v.manifest_digest from unnest($2::text[], $3::text[]) as wanted(pack_id, core)
         join registry.pack_versions v on v.tenant = $1 and v.pack_id = wanted.pack_id and v.version_core = wanted.core`,
        [tenant, names.map(name => name.packId), names.map(name => withoutBuild(name.version))],
      ),
    );
    return rows.map(row => ({ packId: row.pack_id, version: row.version, manifestDigest: row.manifest_digest }));
  }

  imported(tenant: string, log: Digest, kit: Digest): Promise<{ newest: number | null; isImported: boolean }> {
    return readAs(this.dataSource, tenant, sql => selectImported(sql, tenant, log, kit));
  }
}

export async function selectExporters(sql: Sql, tenant: string): Promise<BlobRef | null> {
  const [row] = await sql.query<BlobRow>(
    `select ${BLOB_COLUMNS} from registry.exporters e join content.blobs b on b.digest = e.digest where e.tenant = $1`,
    [tenant],
  );
  return row ? { digest: row.digest, size: Number(row.size), objectKey: row.object_key } : null;
}

export async function selectImported(
  sql: Sql,
  tenant: string,
  log: Digest,
  kit: Digest,
): Promise<{ newest: number | null; isImported: boolean }> {
  const [row] = await sql.query<{ newest: string | null; is_imported: boolean | null }>(
    `select max(generation) as newest, bool_or(kit_digest = $3) as is_imported from registry.imported_kits where tenant = $1 and log = $2`,
    [tenant, log, kit],
  );
  return { newest: row && row.newest !== null ? Number(row.newest) : null, isImported: row?.is_imported ?? false };
}
