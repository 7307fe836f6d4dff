import type { MigrationInterface, QueryRunner } from 'typeorm';
import { REPOSITORY_LISTS } from './repository-lists';

/**
 * What gateways have to forget of the answers that they keep (docs/adr/0011). Whatever can change an answer that was given by `registry.read_manifest`
 * or `registry.read_blob` leaves a row here in the transaction of the change, by triggers: no writer can forget it. What only makes something out of
 * nothing leaves none, since what was not found is never kept; so a first push of an image costs nothing here.
 */
export class ReadChanges1700000000017 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLE);
    await runner.query(PRUNE);
    for (const watched of WATCHED) await runner.query(noting(watched));
    await runner.query(READ);
    await runner.query(GRANTS);
    await runner.query(REPOSITORY_LISTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLE = `
create table registry.read_changes (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  -- Null: of every tenant.
  tenant text collate "C",
  -- Null: all repositories of the tenant.
  repository text collate "C",
  -- A tag or a digest; null: all of them.
  reference text collate "C",
  -- In the row that tells of rows taken away: the last transaction that had written one of them.
  pruned_to xid8,
  created_at timestamptz not null default now()
);
create index read_changes_xid on registry.read_changes (xid);
alter table registry.read_changes enable row level security;
alter table registry.read_changes force row level security;
create policy by_functions on registry.read_changes to packs_migrate using (true) with check (true);`;

/** How long a gateway may be without a look before it has to forget everything. */
const KEPT_FOR = '1 hour';
/** So often, in rows written, twice as many of the oldest are looked at. */
const PRUNED_EVERY = 1_000;

/**
 * Takes old rows away, in the order in which they were written, and leaves one that tells of it. Rows that another transaction is about to take
 * away are left to it.
 */
const PRUNE = `
create function registry.prune_read_changes(before timestamptz) returns bigint language plpgsql set search_path = pg_catalog as $$
declare
  gone bigint;
  last_gone xid8;
begin
  with oldest as (
    select o.id from (
      select r.id, r.created_at from registry.read_changes r order by r.id limit ${2 * PRUNED_EVERY} for update skip locked) o
    where o.created_at < before
  ), deleted as (
    delete from registry.read_changes r using oldest o where r.id = o.id returning r.xid
  ) select count(*), (array_agg(d.xid order by d.xid desc))[1] into gone, last_gone from deleted d;
  if gone > 0 then insert into registry.read_changes (pruned_to) values (last_gone); end if;
  return gone;
end $$;
revoke execute on function registry.prune_read_changes(timestamptz) from public;`;

interface Watched {
  readonly table: string;
  /** Each with the condition under which a row of it counts, if not always. */
  readonly on: Readonly<Partial<Record<'insert' | 'update' | 'delete', string>>>;
  /** Tenant, repository and reference of the row \`it\`. */
  readonly of: readonly [tenant: string, repository: string, reference: string];
}

const ALWAYS = '';

/**
 * Tags of packs' repositories name referrers alone, which no version or channel is called like: a new tag is in nobody's way. A push of a version
 * touches its repository's row without changing it.
 */
const WATCHED: readonly Watched[] = [
  {
    table: 'registry.tags',
    on: { update: 'old.manifest_digest is distinct from new.manifest_digest', delete: ALWAYS },
    of: ['it.tenant', 'it.repository', 'it.tag'],
  },
  { table: 'registry.manifests', on: { update: ALWAYS, delete: ALWAYS }, of: ['it.tenant', 'it.repository', 'null'] },
  { table: 'registry.manifest_blobs', on: { update: ALWAYS, delete: ALWAYS }, of: ['it.tenant', 'it.repository', 'it.blob_digest'] },
  {
    table: 'registry.repositories',
    on: { update: 'old.kind is distinct from new.kind', delete: ALWAYS },
    of: ['it.tenant', 'it.name', 'null'],
  },
  ...['registry.pack_versions', 'registry.pending_versions', 'registry.channel_heads'].map((table): Watched => ({
    table,
    on: { insert: ALWAYS, update: ALWAYS, delete: ALWAYS },
    of: ['it.tenant', 'it.pack_id', 'null'],
  })),
  { table: 'registry.namespace_policies', on: { insert: ALWAYS, update: ALWAYS, delete: ALWAYS }, of: ['it.tenant', 'null', 'null'] },
  {
    table: 'registry.tenants',
    on: { insert: 'new.trust_epoch <> 0', update: 'old.trust_epoch is distinct from new.trust_epoch', delete: ALWAYS },
    of: ['it.tenant', 'null', 'null'],
  },
  // Bytes are shared by tenants.
  { table: 'content.blobs', on: { update: ALWAYS, delete: ALWAYS }, of: ['null', 'null', 'it.digest'] },
  { table: 'content.repository_blobs', on: { update: ALWAYS, delete: ALWAYS }, of: ['it.tenant', 'it.repository', 'it.digest'] },
];

/** Row by row: a statement that may update, and does not, then costs nothing. */
function noting({ table, on, of }: Watched): string {
  const name = `registry.note_${table.replace('.', '_')}`;
  const [tenant, repository, reference] = of;
  const triggers = Object.entries(on).map(
    ([operation, condition]) => `
create trigger read_changes_on_${operation} after ${operation} on ${table} for each row
  ${condition === ALWAYS ? '' : `when (${condition})`} execute function ${name}();`,
  );
  return `
create function ${name}() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  it ${table} := coalesce(old, new);
  written bigint;
begin
  insert into registry.read_changes (tenant, repository, reference) values (${tenant}, ${repository}, ${reference}) returning id into written;
  if written % ${PRUNED_EVERY} = 0 then perform registry.prune_read_changes(now() - interval '${KEPT_FOR}'); end if;
  return null;
end $$;
revoke execute on function ${name}() from public;
${triggers.join('')}`;
}

/**
 * The snapshot of this call, and what was committed since that of an earlier one: not seen then, and seen now. A transaction that was under way then is
 * found whenever it commits, and none is found twice. `stable`: snapshot and rows are of one moment. Null: nothing at all was committed.
 */
const READ = `
create function registry.read_changes_since(since pg_snapshot, most integer) returns json
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
  seen_now pg_snapshot := pg_current_snapshot();
  found_now json;
begin
  if since::text = seen_now::text then return null; end if;
  if since is not null then
    select json_agg(json_build_array(c.tenant, c.repository, c.reference)) into found_now from (
      select r.tenant, r.repository, r.reference from registry.read_changes r
      where r.xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(r.xid, since)
        -- Of rows taken away only those are missed that had not been seen for certain; the row without names then means everything.
        and (r.pruned_to is null or r.pruned_to >= pg_snapshot_xmin(since))
      limit most) c;
  end if;
  return json_build_array(seen_now, found_now);
end $$;`;

const GRANTS = `
revoke execute on function registry.read_changes_since(pg_snapshot, integer) from public;
grant execute on function registry.read_changes_since(pg_snapshot, integer) to packs_gateway;`;
