import type { PackDetail, PackListQuery, PackView, VersionListQuery, VersionView } from '@packs/contracts';
import { lifecyclesShown } from '@packs/domain';
import { PackReadModel, type ServableVersion, type Viewpoint } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { lifecycleOf } from '../lifecycle';
import { readAs, type Sql } from '../transaction';
import {
  FROM_VERSIONS,
  SELECT_PACKS,
  SELECT_SERVABLE,
  SELECT_VERSIONS,
  toPackView,
  toServableVersion,
  toVersionView,
  type PackRow,
  type ServableRow,
  type VersionRow,
} from './pack-rows';

/** Reads of packs. Row-level security decides what the viewpoint's tenant finds; the queries are the same for all. */
export class PostgresPackReadModel extends PackReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async listPacks(at: Viewpoint, query: PackListQuery): Promise<{ packs: PackView[]; next: string | null }> {
    const rows = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<PackRow>(
        `${SELECT_PACKS} and p.pack_id > $2
           and ${lifecycleOf('v')} = any($3)
           and ($4::text is null or strpos(p.pack_id, lower($4)) > 0 or strpos(lower(v.name), lower($4)) > 0)
           and ($5::text is null or p.type = $5)
           and ($6::text is null or $6 = any(v.tags))
           and ($7::text is null or exists (select 1 from registry.channel_heads h
             where h.tenant = p.tenant and h.pack_id = p.pack_id and h.channel = $7))
         order by p.pack_id limit $8`,
        [
          at.namespace,
          query.cursor ?? '',
          lifecyclesShown(query.lifecycle, query.deprecated),
          query.name ?? null,
          query.type ?? null,
          query.tag ?? null,
          query.channel ?? null,
          query.limit + 1,
        ],
      ),
    );
    const page = rows.slice(0, query.limit).map(toPackView);
    return { packs: page, next: rows.length > query.limit ? (page.at(-1)?.packId ?? null) : null };
  }

  async findPack(at: Viewpoint, packId: string): Promise<PackDetail | undefined> {
    const [row] = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<PackRow>(`${SELECT_PACKS} and p.pack_id = $2`, [at.namespace, packId]),
    );
    return row && { pack: toPackView(row) };
  }

  listVersions(
    at: Viewpoint,
    packId: string,
    query: VersionListQuery,
  ): Promise<{ versions: VersionView[]; next: string | null } | undefined> {
    return readAs(this.dataSource, at.tenant, async sql => {
      const rows = await sql.query<VersionRow & { sort_key: string }>(
        `${SELECT_VERSIONS}, v.sort_key ${FROM_VERSIONS}
         where v.tenant = $1 and v.pack_id = $2 and ($3::text is null or v.sort_key < $3) and ${lifecycleOf('v')} = any($4)
         order by v.sort_key desc limit $5`,
        [at.namespace, packId, query.cursor ?? null, lifecyclesShown(query.lifecycle, query.deprecated), query.limit + 1],
      );
      if (rows.length === 0 && !(await exists(sql, at.namespace, packId))) return undefined;
      const page = rows.slice(0, query.limit);
      return { versions: page.map(toVersionView), next: rows.length > query.limit ? (page.at(-1)?.sort_key ?? null) : null };
    });
  }

  async findVersion(at: Viewpoint, packId: string, version: string): Promise<ServableVersion | undefined> {
    const [row] = await readAs(this.dataSource, at.tenant, sql =>
      sql.query<ServableRow>(`${SELECT_SERVABLE} where v.tenant = $1 and v.pack_id = $2 and v.version = $3`, [
        at.namespace,
        packId,
        version,
      ]),
    );
    return row && toServableVersion(row);
  }
}

async function exists(sql: Sql, tenant: string, packId: string): Promise<boolean> {
  const rows = await sql.query(`select 1 from registry.packs where tenant = $1 and pack_id = $2`, [tenant, packId]);
  return rows.length > 0;
}
