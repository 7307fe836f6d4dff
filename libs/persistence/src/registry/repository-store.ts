import { DomainError, type Digest, type PackType, type RepositoryKind } from '@packs/domain';
import { RepositoryStore, type RecordedManifest, type ReferrerPush, type StoredBlob, type VersionByManifest } from '@packs/ports';
import { BLOB_COLUMNS, insertBlobs, toStoredBlob, type BlobRow } from '../content-catalog';
import { isForeignKeyViolation } from '../sql-state';
import type { Sql } from '../transaction';

interface ManifestRow {
  digest: Digest;
  size: string;
  object_key: string;
  media_type: string;
  artifact_type: string;
  subject: Digest | null;
}

const SELECT_MANIFEST = `
select m.digest, b.size, b.object_key, m.media_type, m.artifact_type, m.subject
from registry.manifests m join content.blobs b on b.digest = m.digest
where m.tenant = $1 and m.repository = $2`;

export class PostgresRepositoryStore extends RepositoryStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async kind(tenant: string, repository: string): Promise<RepositoryKind | undefined> {
    const [row] = await this.sql.query<{ kind: RepositoryKind }>(`select kind from registry.repositories where tenant = $1 and name = $2`, [
      tenant,
      repository,
    ]);
    return row?.kind;
  }

  async lockPack(tenant: string, packId: string): Promise<PackType | null> {
    const [row] = await this.sql.query<{ kind: RepositoryKind }>(
      `insert into registry.repositories (tenant, name, kind) values ($1, $2, 'pack')
       on conflict (tenant, name) do update set created_at = repositories.created_at returning kind`,
      [tenant, packId],
    );
    requirePack(packId, row?.kind);
    const [pack] = await this.sql.query<{ type: PackType }>(`select type from registry.packs where tenant = $1 and pack_id = $2`, [
      tenant,
      packId,
    ]);
    return pack?.type ?? null;
  }

  async blobs(tenant: string, repository: string, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const rows = await this.sql.query<BlobRow>(
      `select ${BLOB_COLUMNS} from content.blobs b where b.digest = any($3)
         and (exists (select 1 from content.repository_blobs r where r.tenant = $1 and r.repository = $2 and r.digest = b.digest)
           or exists (select 1 from registry.manifest_blobs e where e.tenant = $1 and e.repository = $2 and e.blob_digest = b.digest))`,
      [tenant, repository, digests],
    );
    return new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
  }

  async manifest(tenant: string, repository: string, digest: Digest): Promise<RecordedManifest | undefined> {
    const [row] = await this.sql.query<ManifestRow>(`${SELECT_MANIFEST} and m.digest = $3`, [tenant, repository, digest]);
    return row && toRecorded(row);
  }

  async versionOf(tenant: string, packId: string, manifest: Digest): Promise<VersionByManifest | undefined> {
    const [row] = await this.sql.query<VersionByManifest>(
      `select version, 'published' as state from registry.pack_versions where tenant = $1 and pack_id = $2 and manifest_digest = $3
       union all select version, 'pending' from registry.pending_versions where tenant = $1 and pack_id = $2 and manifest_digest = $3
       limit 1`,
      [tenant, packId, manifest],
    );
    return row;
  }

  async isPackTag(tenant: string, packId: string, tag: string): Promise<boolean> {
    const rows = await this.sql.query(
      `select 1 from registry.pack_versions where tenant = $1 and pack_id = $2 and replace(version, '+', '_') collate "C" = $3
       union all select 1 from registry.pending_versions where tenant = $1 and pack_id = $2 and replace(version, '+', '_') collate "C" = $3
       union all select 1 from registry.channel_heads where tenant = $1 and pack_id = $2 and channel = $3 limit 1`,
      [tenant, packId, tag],
    );
    return rows.length > 0;
  }

  async addReferrer(push: ReferrerPush): Promise<boolean> {
    const { tenant, repository, manifest, taggedSubject, tag, blobs, at, actor } = push;
    insertBlobs(this.sql, push.newBlobs);
    const added = await this.sql.query(
      `insert into registry.manifests (tenant, repository, digest, media_type, artifact_type, subject, tagged_subject, annotations)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning digest`,
      [
        ...[tenant, repository, manifest.digest, manifest.mediaType, manifest.artifactType, manifest.subject, taggedSubject],
        JSON.stringify(manifest.annotations),
      ],
    );
    await this.sql.query(
      `insert into registry.manifest_blobs (tenant, repository, manifest_digest, blob_digest)
       select $1, $2, $3, d from unnest($4::text[]) as t(d) on conflict do nothing`,
      [tenant, repository, manifest.digest, unique(blobs)],
    );
    const isNew = added.length > 0;
    if (tag === null) return isNew;
    await this.sql.query(
      `insert into registry.tags (tenant, repository, tag, manifest_digest, updated_at, updated_by) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant, repository, tag) do update
         set manifest_digest = excluded.manifest_digest, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [tenant, repository, tag, manifest.digest, at, actor],
    );
    return isNew;
  }

  async referrers(tenant: string, repository: string, subject: Digest, limit: number): Promise<readonly RecordedManifest[]> {
    const rows = await this.sql.query<ManifestRow>(`${SELECT_MANIFEST} and m.subject = $3 order by m.created_at desc, m.digest limit $4`, [
      tenant,
      repository,
      subject,
      limit,
    ]);
    return rows.map(toRecorded);
  }

  async deleteTag(tenant: string, repository: string, tag: string): Promise<boolean> {
    const rows = await this.sql.query(`delete from registry.tags where tenant = $1 and repository = $2 and tag = $3 returning tag`, [
      tenant,
      repository,
      tag,
    ]);
    return rows.length > 0;
  }

  async deleteManifest(tenant: string, repository: string, digest: Digest): Promise<boolean> {
    const at = [tenant, repository, digest];
    await this.sql.query(`delete from registry.tags where tenant = $1 and repository = $2 and manifest_digest = $3`, at);
    await this.sql.query(`delete from registry.manifest_blobs where tenant = $1 and repository = $2 and manifest_digest = $3`, at);
    try {
      const rows = await this.sql.query(
        `delete from registry.manifests where tenant = $1 and repository = $2 and digest = $3 returning digest`,
        at,
      );
      return rows.length > 0;
    } catch (error) {
      if (isForeignKeyViolation(error)) throw new DomainError('ERR_OCI_REFERENCED', `${digest} is still needed`, { cause: error });
      throw error;
    }
  }

  async deleteBlob(tenant: string, repository: string, digest: Digest): Promise<boolean> {
    const at = [tenant, repository, digest];
    const [user] = await this.sql.query<{ manifest_digest: Digest }>(
      `select manifest_digest from registry.manifest_blobs where tenant = $1 and repository = $2 and blob_digest = $3 limit 1`,
      at,
    );
    if (user) {
      throw new DomainError('ERR_OCI_REFERENCED', `the manifest ${user.manifest_digest} needs ${digest}`, {
        details: { manifest: user.manifest_digest },
      });
    }
    const rows = await this.sql.query(
      `delete from content.repository_blobs where tenant = $1 and repository = $2 and digest = $3 returning digest`,
      at,
    );
    return rows.length > 0;
  }
}

function unique<T extends string>(texts: readonly T[]): T[] {
  return [...new Set(texts)].toSorted();
}

function toRecorded(row: ManifestRow): RecordedManifest {
  const { digest, size, object_key: objectKey, media_type: mediaType, artifact_type: artifactType } = row;
  return { digest, size: Number(size), objectKey, mediaType, artifactType, subject: row.subject };
}

/** @throws DomainError ERR_OCI_REPOSITORY_KIND */
export function requirePack(packId: string, kind: RepositoryKind | undefined): void {
  if (kind !== 'generic') return;
  throw new DomainError(
    'ERR_OCI_REPOSITORY_KIND',
    `repository ${packId} holds other content than a pack, and a repository keeps its kind`,
    {
      errors: [{ field: 'packId', message: 'is the name of a repository that holds other content' }],
    },
  );
}
