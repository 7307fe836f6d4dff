import { BlobQuarantined, BlobRepaired, newEvent } from '@packs/contracts';
import { canonicalDigest, type Digest } from '@packs/domain';
import { BlobRecords, quarantinedKey, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { PostgresOutbox } from '../outbox';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { inTransaction, type Sql } from '../transaction';

/** Uses of one blob that are looked at. */
const MAX_USES = 2_000;
const ACTOR = 'service:publisher';

interface UseRow {
  tenant: string;
  repository: string | null;
  version: string | null;
}

/** Each tenant that has the blob, once; by a version of a pack where there is one. */
const SELECT_USERS = `
with uses as (
  (select e.tenant, e.repository, e.manifest_digest from registry.manifest_blobs e where e.blob_digest = $1 limit ${MAX_USES})
  union (select m.tenant, m.repository, m.digest from registry.manifests m where m.digest = $1 limit ${MAX_USES})
  union (select l.tenant, l.repository, null from content.repository_blobs l where l.digest = $1 limit ${MAX_USES})
  union (select t.tenant, null, null from registry.tenants t where t.trust_digest = $1 limit ${MAX_USES})
)
select distinct on (u.tenant) u.tenant, u.repository, v.version
from uses u
left join registry.manifests m on m.tenant = u.tenant and m.repository = u.repository and m.digest = u.manifest_digest
left join lateral (
  select v.version from registry.pack_versions v
  where v.tenant = m.tenant and v.pack_id = m.repository and v.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) v on true
order by u.tenant, v.version nulls last, u.repository`;

const QUARANTINE = `
update content.blobs set object_key = $3, quarantined_at = $4, quarantine_reason = $5
where digest = $1 and object_key = $2 and quarantined_at is null returning size`;

const REPLACE = `
update content.blobs b set object_key = $2, block_checksums = decode($3, 'base64'), quarantined_at = null, quarantine_reason = null
from (select o.digest, o.object_key, o.quarantine_reason from content.blobs o where o.digest = $1 and o.quarantined_at is not null for update) was
where b.digest = was.digest returning was.object_key, was.quarantine_reason`;

export class PostgresBlobRecords extends BlobRecords {
  /** @param operatorTenant is told of blobs that no tenant has */
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
    private readonly operatorTenant: string,
  ) {
    super();
  }

  async find(digest: Digest): Promise<StoredBlob | undefined> {
    const [row] = await inTransaction(this.dataSource, null, sql =>
      sql.query<BlobRow>(`select ${BLOB_COLUMNS} from content.blobs b where b.digest = $1`, [digest]),
    );
    return row && toStoredBlob(row);
  }

  async quarantine(blob: StoredBlob, reason: string, at: Date): Promise<boolean> {
    const { digest, objectKey } = blob;
    const done = await inTransaction(this.dataSource, null, async sql => {
      const changed = await sql.query(QUARANTINE, [digest, objectKey, quarantinedKey(objectKey), at, reason]);
      if (changed.length > 0) await this.tell(sql, BlobQuarantined, blob, reason, at);
      return changed.length > 0;
    });
    if (done) this.hooks.committed();
    return done;
  }

  async replace(blob: StoredBlob, at: Date): Promise<string | undefined> {
    const was = await inTransaction(this.dataSource, null, async sql => {
      const [row] = await sql.query<{ object_key: string; quarantine_reason: string }>(REPLACE, [
        blob.digest,
        blob.objectKey,
        blob.blockChecksums,
      ]);
      if (row) await this.tell(sql, BlobRepaired, blob, row.quarantine_reason, at);
      return row;
    });
    if (was) this.hooks.committed();
    return was?.object_key;
  }

  /** An event belongs to one tenant: the transaction becomes each of them in turn to write its own. */
  private async tell(
    sql: Sql,
    contract: typeof BlobQuarantined | typeof BlobRepaired,
    { digest, size }: StoredBlob,
    reason: string,
    at: Date,
  ): Promise<void> {
    const users = await sql.query<UseRow>(SELECT_USERS, [digest]);
    const told = users.length > 0 ? users : [{ tenant: this.operatorTenant, repository: null, version: null }];
    const outbox = new PostgresOutbox(sql, 'registry', this.hooks.traceparent);
    for (const { tenant, repository, version } of told) {
      await sql.query(`select set_config('app.tenant', $1, true)`, [tenant]);
      const state = { digest, size, repository, reason };
      const packId = version === null ? null : repository;
      const origin = { packId, version, actor: ACTOR, tenant, source: null, signatures: [], metadataHash: canonicalDigest(state) };
      await outbox.append(newEvent(contract, { ...origin, ...state }, at));
    }
  }
}
