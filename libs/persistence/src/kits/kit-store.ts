import type { Digest } from '@packs/domain';
import { KitStore, type BlobRef, type StoredBlob } from '@packs/ports';
import { BLOB_COLUMNS, insertBlobs, toStoredBlob, type BlobRow } from '../content-catalog';
import type { Sql } from '../transaction';
import { selectExporters, selectImported } from './kit-records';

export class PostgresKitStore extends KitStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  exporters(tenant: string): Promise<BlobRef | null> {
    return selectExporters(this.sql, tenant);
  }

  async setExporters(tenant: string, keys: BlobRef, actor: string, at: string): Promise<void> {
    await this.sql.query(
      `insert into registry.exporters (tenant, digest, updated_at, updated_by) values ($1, $2, $3, $4)
       on conflict (tenant) do update set digest = excluded.digest, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [tenant, keys.digest, at, actor],
    );
  }

  imported(tenant: string, log: Digest, kit: Digest): Promise<{ newest: number | null; isImported: boolean }> {
    return selectImported(this.sql, tenant, log, kit);
  }

  async addImported(
    tenant: string,
    {
      log,
      kit,
      generation,
      exporter,
      at,
      actor,
    }: { log: Digest; kit: Digest; generation: number; exporter: Digest; at: string; actor: string },
  ): Promise<void> {
    await this.sql.query(
      `insert into registry.imported_kits (tenant, log, kit_digest, generation, exporter_key, imported_at, imported_by) values ($1, $2, $3, $4, $5, $6, $7)`,
      [tenant, log, kit, generation, exporter, at, actor],
    );
  }

  async addBlobs(blobs: readonly StoredBlob[]): Promise<ReadonlyMap<Digest, StoredBlob>> {
    insertBlobs(this.sql, blobs);
    const rows = await this.sql.query<BlobRow>(`select ${BLOB_COLUMNS} from content.blobs b where b.digest = any($1)`, [
      blobs.map(blob => blob.digest),
    ]);
    return new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
  }
}
