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
import { callAs, callEach, readAs } from '../transaction';

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

type ReferrerValues = [digest: Digest, mediaType: string, size: number, artifactType: string, annotations: Record<string, string>];

const LIST_TAGS = 'select registry.list_tags($1, $2, $3, $4, $5, $6) as tags';
const LIST_REFERRERS = 'select registry.list_referrers($1, $2, $3, $4, $5, $6, $7, $8) as referrers';

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

  async listTags(
    { tenant, namespace, repository, mayPush }: RepositoryView,
    { limit, last }: { readonly limit: number; readonly last?: string },
  ): Promise<Page<string> | undefined> {
    const values = [namespace, repository, last ?? '', limit + 1, mayPush];
    const [row] = await callAs<{ tags: string[] | null }>(this.dataSource, LIST_TAGS, tenant, values);
    return row?.tags ? pageOf(row.tags, limit) : undefined;
  }

  async listReferrers(
    { tenant, namespace, repository, mayPush }: RepositoryView,
    digest: Digest,
    { limit, last, artifactType }: { readonly limit: number; readonly last?: Digest; readonly artifactType?: string },
  ): Promise<Page<Referrer>> {
    const values = [namespace, repository, digest, last ?? '', artifactType ?? null, limit + 1, mayPush];
    const [row] = await callAs<{ referrers: ReferrerValues[] | null }>(this.dataSource, LIST_REFERRERS, tenant, values);
    return pageOf((row?.referrers ?? []).map(toReferrer), limit);
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

function pageOf<Item>(rows: readonly Item[], limit: number): Page<Item> {
  return { items: rows.slice(0, limit), more: rows.length > limit };
}

function toReferrer([digest, mediaType, size, artifactType, annotations]: ReferrerValues): Referrer {
  const described = { mediaType, digest, size, ...(artifactType !== '' && { artifactType }) };
  return { ...described, ...(Object.keys(annotations).length > 0 && { annotations }) };
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
