import type { EventEnvelope } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { BlobRecords, quarantinedKey, type BlobUse, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { Gathered } from '../gathered';
import { PostgresOutbox } from '../outbox';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { callEach, inTransaction, type Sql } from '../transaction';

/** As the tenant: a version of a pack that the blob is part of where there is one, else a repository that has it. */
const SELECT_USE = `
with uses as (
  (select e.repository, e.manifest_digest from registry.manifest_blobs e where e.tenant = $1 and e.blob_digest = $2 limit 100)
  union all (select m.repository, m.digest from registry.manifests m where m.tenant = $1 and m.digest = $2 limit 100)
  union all (select l.repository, null from content.repository_blobs l where l.tenant = $1 and l.digest = $2 limit 100)
)
select $1 as tenant, u.repository, v.version
from uses u
left join registry.manifests m on m.tenant = $1 and m.repository = u.repository and m.digest = u.manifest_digest
left join lateral (
  select v.version from registry.pack_versions v
  where v.tenant = $1 and v.pack_id = m.repository and v.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) v on true
order by v.version nulls last, u.repository limit 1`;

const QUARANTINE = `
update content.blobs set object_key = $3, quarantined_at = $4, quarantine_reason = $5
where digest = $1 and object_key = $2 and quarantined_at is null returning size`;

const REPLACE = `
update content.blobs b set object_key = $2, block_checksums = decode($3, 'base64'), quarantined_at = null, quarantine_reason = null
from (select o.digest, o.object_key, o.quarantine_reason from content.blobs o where o.digest = $1 and o.quarantined_at is not null for update) was
where b.digest = was.digest returning was.object_key, was.quarantine_reason`;

export class PostgresBlobRecords extends BlobRecords {
  private readonly asked = new Gathered<Digest, StoredBlob | undefined>(digests => this.findAll(digests));

  /** @param operatorTenant is told of blobs that no tenant has */
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
    private readonly operatorTenant: string,
  ) {
    super();
  }

  find(digest: Digest): Promise<StoredBlob | undefined> {
    return this.asked.ask(digest);
  }

  private async findAll(digests: readonly Digest[]): Promise<(StoredBlob | undefined)[]> {
    // No tenant's table, so it needs no transaction with a tenant in it.
    const rows = await callEach<BlobRow>(this.dataSource, `select ${BLOB_COLUMNS} from content.blobs b where b.digest = any($1)`, [
      digests,
    ]);
    const found = new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
    return digests.map(digest => found.get(digest));
  }

  async quarantine(
    { digest, objectKey }: StoredBlob,
    { reason, at }: { readonly reason: string; readonly at: Date },
    eventFor: (use: BlobUse) => EventEnvelope,
  ): Promise<boolean> {
    const done = await inTransaction(this.dataSource, null, async sql => {
      const changed = await sql.query(QUARANTINE, [digest, objectKey, quarantinedKey(objectKey), at, reason]);
      if (changed.length > 0) await this.tell(sql, digest, eventFor);
      return changed.length > 0;
    });
    if (done) this.hooks.committed();
    return done;
  }

  async replace(
    { digest, objectKey, blockChecksums }: StoredBlob,
    eventFor: (use: BlobUse, reason: string) => EventEnvelope,
  ): Promise<string | undefined> {
    const was = await inTransaction(this.dataSource, null, async sql => {
      const [row] = await sql.query<{ object_key: string; quarantine_reason: string }>(REPLACE, [digest, objectKey, blockChecksums]);
      if (row) await this.tell(sql, digest, use => eventFor(use, row.quarantine_reason));
      return row;
    });
    if (was) this.hooks.committed();
    return was?.object_key;
  }

  /** An event belongs to one tenant: the transaction becomes each of them in turn to write its own. */
  private async tell(sql: Sql, digest: Digest, eventFor: (use: BlobUse) => EventEnvelope): Promise<void> {
    const rows = await sql.query<{ tenant: string }>('select tenant from content.tenants_with($1) as t(tenant)', [digest]);
    const tenants = rows.length > 0 ? rows.map(row => row.tenant) : [this.operatorTenant];
    const outbox = new PostgresOutbox(sql, 'registry', this.hooks.traceparent);
    for (const tenant of tenants) {
      await sql.query(`select set_config('app.tenant', $1, true)`, [tenant]);
      const [use] = await sql.query<BlobUse>(SELECT_USE, [tenant, digest]);
      await outbox.append(eventFor(use ?? { tenant, repository: null, version: null }));
    }
  }
}
