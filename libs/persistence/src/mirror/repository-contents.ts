import { requireUnsealed, type Digest, type RepositoryKind } from '@packs/domain';
import { RepositoryContents, type StoredBlob, type VersionByManifest } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { insertBlobs } from '../content-catalog';
import { PostgresRepositoryStore } from '../registry/repository-store';
import { PostgresSealStore } from '../registry/seal-store';
import { inTransaction, readAs, type Sql } from '../transaction';

export class PostgresRepositoryContents extends RepositoryContents {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  kind(tenant: string, repository: string): Promise<RepositoryKind | undefined> {
    return this.read(tenant, store => store.kind(tenant, repository));
  }

  async manifests(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ digest: Digest }>(`select digest from registry.manifests where tenant = $1 and repository = $2 and digest = any($3)`, [
        ...[tenant, repository],
        digests,
      ]),
    );
    return new Set(rows.map(({ digest }) => digest));
  }

  blobs(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>> {
    return this.read(tenant, store => store.blobs(tenant, repository, digests));
  }

  versionOf(tenant: string, packId: string, manifest: Digest): Promise<VersionByManifest | undefined> {
    return this.read(tenant, store => store.versionOf(tenant, packId, manifest));
  }

  async tagged(tenant: string, repository: string, tag: string): Promise<Digest | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ digest: Digest }>(
        `select manifest_digest as digest from registry.tags where tenant = $1 and repository = $2 and tag = $3
         union all
         select manifest_digest from registry.pack_versions
         where tenant = $1 and pack_id = $2 and replace(version, '+', '_') collate "C" = $3 limit 1`,
        [tenant, repository, tag],
      ),
    );
    return row?.digest;
  }

  async link(tenant: string, repository: string, actor: string, blob: StoredBlob): Promise<void> {
    await inTransaction(this.dataSource, tenant, async sql => {
      requireUnsealed((await new PostgresSealStore(sql).hold()) ? 'api' : null);
      insertBlobs(sql, [blob]);
      await sql.query(
        `insert into content.repository_blobs (tenant, repository, digest, uploaded_by) values ($1, $2, $3, $4) on conflict do nothing`,
        [tenant, repository, blob.digest, actor],
      );
    });
  }

  private read<T>(tenant: string, ask: (store: PostgresRepositoryStore) => Promise<T>): Promise<T> {
    return readAs(this.dataSource, tenant, (sql: Sql) => ask(new PostgresRepositoryStore(sql)));
  }
}
