import type { Digest, RepositoryKind, RepositoryName } from '@packs/domain';
import {
  RepositoryReadModel,
  type FoundBlob,
  type FoundManifest,
  type Page,
  type Referrer,
  type RepositoryView,
  type VersionOfManifest,
} from '@packs/ports';
import type { DataSource } from 'typeorm';
import { toStoredBlob, type BlobRow } from '../content-catalog';
import { Gathered } from '../gathered';
import { callEach, readAs } from '../transaction';

interface VersionRow {
  pack_id: string | null;
  version: string | null;
  pending: boolean;
  verified_epoch: string | null;
  current_epoch: string;
  deprecated: boolean;
  deprecation_reason: string | null;
  replacement: string | null;
}
type ManifestRow = BlobRow & VersionRow & { media_type: string; kind: RepositoryKind; digest_only: boolean };
type ReadBlobRow = BlobRow & VersionRow & { needs_version: boolean };

interface Lookup {
  readonly view: RepositoryView;
  readonly reference: { readonly tag: string } | { readonly digest: Digest };
}
/** From 1: which of the lookups that were asked together a row answers. */
interface Answered {
  readonly question: number;
}

/** Tags of a repository of either kind: those clients set, and those that versions and channels of a pack are pulled by. */
const SELECT_TAGS = `
  select tag from (
    (select g.tag from registry.tags g where g.tenant = $1 and g.repository = $2 and g.tag > $3 order by g.tag limit $4)
    union all
    (select replace(v.version, '+', '_') collate "C" from registry.pack_versions v
     where v.tenant = $1 and v.pack_id = $2 and (replace(v.version, '+', '_') collate "C") > $3
     order by (replace(v.version, '+', '_') collate "C") limit $4)
    union all
    (select h.channel from registry.channel_heads h where h.tenant = $1 and h.pack_id = $2 and h.channel > $3 order by h.channel limit $4)
    union all
    (select replace(p.version, '+', '_') collate "C" from registry.pending_versions p
     where $5 and p.tenant = $1 and p.pack_id = $2 and (replace(p.version, '+', '_') collate "C") > $3
     order by (replace(p.version, '+', '_') collate "C") limit $4)
  ) t(tag) order by tag collate "C" limit $4`;

/** Of a pack's version that waits for signatures only those hear who may push. */
const SELECT_REFERRERS = `
  select m.digest, m.media_type as "mediaType", b.size, m.artifact_type as "artifactType", m.annotations
  from registry.manifests m join content.blobs b on b.digest = m.digest
  where m.tenant = $1 and m.repository = $2 and m.subject = $3 and m.digest > $4 and ($5::text is null or m.artifact_type = $5)
    and ($6 or not exists (select 1 from registry.pending_versions p
      where p.tenant = m.tenant and p.pack_id = m.repository and p.manifest_digest = m.subject))
  order by m.digest limit $7`;

export class PostgresRepositoryReadModel extends RepositoryReadModel {
  private readonly manifests = new Gathered<Lookup, readonly ManifestRow[]>(lookups => this.readManifests(lookups));
  private readonly blobs = new Gathered<Lookup, readonly ReadBlobRow[]>(lookups => this.readBlobs(lookups));

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async findManifest(
    view: RepositoryView,
    reference: { readonly tag: string } | { readonly digest: Digest },
  ): Promise<FoundManifest | undefined> {
    const [row] = await this.manifests.ask({ view, reference });
    return (
      row && {
        mediaType: row.media_type,
        blob: toStoredBlob(row),
        kind: row.kind,
        version: toVersion(row) ?? null,
        digestOnly: row.digest_only,
      }
    );
  }

  async findBlob(view: RepositoryView, digest: Digest): Promise<FoundBlob | undefined> {
    const rows = await this.blobs.ask({ view, reference: { digest } });
    const [first] = rows;
    if (!first) return undefined;
    const versions = first.needs_version ? rows.flatMap(row => toVersion(row) ?? []) : null;
    return { blob: toStoredBlob(first), versions };
  }

  listTags(
    { tenant, namespace, repository, mayPush }: RepositoryView,
    { limit, last }: { readonly limit: number; readonly last?: string },
  ): Promise<Page<string> | undefined> {
    return readAs(this.dataSource, tenant, async sql => {
      const rows = await sql.query<{ tag: string }>(SELECT_TAGS, [namespace, repository, last ?? '', limit + 1, mayPush]);
      if (rows.length === 0 && !(await isKnown(sql, namespace, repository))) return undefined;
      return pageOf(
        rows.map(row => row.tag),
        limit,
      );
    });
  }

  async listReferrers(
    { tenant, namespace, repository, mayPush }: RepositoryView,
    digest: Digest,
    { limit, last, artifactType }: { readonly limit: number; readonly last?: Digest; readonly artifactType?: string },
  ): Promise<Page<Referrer>> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<Omit<Referrer, 'size'> & { size: string }>(SELECT_REFERRERS, [
        namespace,
        repository,
        digest,
        last ?? '',
        artifactType ?? null,
        mayPush,
        limit + 1,
      ]),
    );
    return pageOf(rows.map(toReferrer), limit);
  }

  async listRepositories(
    tenant: string,
    { limit, last }: { readonly limit: number; readonly last?: RepositoryName },
  ): Promise<Page<RepositoryName>> {
    const after = last?.namespace === tenant ? last.repository : '';
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<{ name: string }>(
        `select r.name from registry.repositories r where r.tenant = $1 and r.name > $2 order by r.name limit $3`,
        [tenant, after, limit + 1],
      ),
    );
    return pageOf(
      rows.map(row => ({ namespace: tenant, repository: row.name })),
      limit,
    );
  }

  private async readManifests(lookups: readonly Lookup[]): Promise<ManifestRow[][]> {
    const rows = await callEach<ManifestRow & Answered>(this.dataSource, 'select * from registry.read_manifests($1, $2, $3, $4, $5, $6)', [
      ...whereTo(lookups),
      lookups.map(({ reference }) => ('tag' in reference ? reference.tag : null)),
      lookups.map(({ reference }) => ('tag' in reference ? null : reference.digest)),
      lookups.map(({ view }) => view.mayPush),
    ]);
    return lookups.map((_, at) => rows.filter(({ question }) => question === at + 1));
  }

  private async readBlobs(lookups: readonly Lookup[]): Promise<ReadBlobRow[][]> {
    const rows = await callEach<ReadBlobRow & Answered>(this.dataSource, 'select * from registry.read_blobs($1, $2, $3, $4, $5)', [
      ...whereTo(lookups),
      lookups.map(({ reference }) => ('tag' in reference ? null : reference.digest)),
      lookups.map(({ view }) => view.mayPush),
    ]);
    return lookups.map((_, at) => rows.filter(({ question }) => question === at + 1));
  }
}

/** Callers, namespaces and names. */
function whereTo(lookups: readonly Lookup[]): string[][] {
  const of = (key: 'tenant' | 'namespace' | 'repository') => lookups.map(({ view }) => view[key]);
  return [of('tenant'), of('namespace'), of('repository')];
}

async function isKnown(sql: { query<Row>(text: string, values: readonly string[]): Promise<Row[]> }, tenant: string, name: string) {
  return (await sql.query(`select 1 from registry.repositories r where r.tenant = $1 and r.name = $2`, [tenant, name])).length > 0;
}

function pageOf<Item>(rows: readonly Item[], limit: number): Page<Item> {
  return { items: rows.slice(0, limit), more: rows.length > limit };
}

function toReferrer({ digest, mediaType, size, artifactType, annotations }: Omit<Referrer, 'size'> & { size: string }): Referrer {
  const described = { mediaType, digest, size: Number(size), ...(artifactType !== '' && { artifactType }) };
  return { ...described, ...(Object.keys(annotations ?? {}).length > 0 && { annotations }) };
}

function toVersion(row: VersionRow): VersionOfManifest | undefined {
  if (row.pack_id === null || row.version === null) return undefined;
  return {
    packId: row.pack_id,
    version: row.version,
    state: row.pending ? 'pending' : 'published',
    verifiedEpoch: Number(row.verified_epoch ?? 0),
    currentEpoch: Number(row.current_epoch),
    deprecation: row.deprecated ? { reason: row.deprecation_reason, replacement: row.replacement } : null,
  };
}
