import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Damaged blobs in quarantine, scrubs that look for them, and repairs from mirrors. */
export class Quarantine1700000000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCRUBS);
    await runner.query(USERS_OF_A_BLOB);
    await runner.query(REPAIRS);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const SCRUBS = `
-- The object of a blob in quarantine is out of everybody's reach: no store opens such a key.
alter table content.blobs add constraint blobs_quarantined_key check ((quarantined_at is not null) = starts_with(object_key, 'quarantined/'));
create table content.scrubs (
  id text collate "C" primary key,
  state text not null default 'queued' check (state in ('queued', 'running', 'completed', 'cancelled')),
  requested_by text not null,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  since timestamptz,
  -- Of so many blobs the one with this remainder is read.
  sample integer not null check (sample > 0),
  remainder integer not null check (remainder >= 0 and remainder < sample),
  -- The last digest it has gone through.
  cursor text collate "C" not null default '',
  examined bigint not null default 0,
  bytes bigint not null default 0,
  damaged bigint not null default 0,
  unreadable bigint not null default 0,
  digests text[] not null default '{}',
  lease_owner text collate "C",
  lease_until timestamptz
);
create unique index scrubs_one_at_a_time on content.scrubs ((true)) where state in ('queued', 'running');
create index scrubs_requested on content.scrubs (requested_at);`;

/**
 * Bytes are shared by tenants: each that has them is told of what happens to them. Only the function sees across tenants, as the owner of the tables,
 * and all it tells is names of tenants.
 */
const USERS_OF_A_BLOB = `
create index manifests_digest on registry.manifests (digest);
create policy users_of_a_blob on registry.manifests for select to packs_migrate using (true);
create policy users_of_a_blob on registry.manifest_blobs for select to packs_migrate using (true);
create policy users_of_a_blob on registry.tenants for select to packs_migrate using (true);
create policy users_of_a_blob on content.repository_blobs for select to packs_migrate using (true);
create function content.tenants_with(wanted text) returns setof text language sql stable security definer set search_path = pg_catalog as $$
  select u.tenant from (
    select e.tenant from registry.manifest_blobs e where e.blob_digest = wanted
    union select m.tenant from registry.manifests m where m.digest = wanted
    union select l.tenant from content.repository_blobs l where l.digest = wanted
    union select t.tenant from registry.tenants t where t.trust_digest = wanted) u
  order by u.tenant limit 1000;
$$;
revoke execute on function content.tenants_with(text) from public;
grant execute on function content.tenants_with(text) to packs_publisher;`;

const REPAIRS = `
create table mirror.repairs (
  tenant text collate "C" not null,
  digest text collate "C" not null,
  size bigint not null,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
  attempts integer not null default 0,
  error_code text,
  asked_at timestamptz not null default now(),
  finished_at timestamptz,
  lease_owner text collate "C",
  lease_until timestamptz,
  primary key (tenant, digest)
);
create index repairs_due on mirror.repairs (lease_until) where state in ('queued', 'running');
alter table mirror.repairs enable row level security;
alter table mirror.repairs force row level security;
create policy own on mirror.repairs using (tenant = registry.current_tenant());
create policy queue on mirror.repairs to packs_mirror using (coalesce(registry.current_tenant(), '') = '');`;

const GRANTS = `
grant update (object_key, block_checksums, quarantined_at, quarantine_reason) on content.blobs to packs_publisher;
grant select, insert on content.scrubs to packs_publisher;
grant update (state, started_at, finished_at, cursor, examined, bytes, damaged, unreadable, digests, lease_owner, lease_until)
  on content.scrubs to packs_publisher;
grant select, insert on mirror.repairs to packs_mirror;
grant update (size, state, attempts, error_code, asked_at, finished_at, lease_owner, lease_until) on mirror.repairs to packs_mirror;`;
