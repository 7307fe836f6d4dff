import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mirrors, their jobs, and what was proven to lie where. */
export class Mirrors1700000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create table mirror.mirrors (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  name text collate "C" not null,
  kind text not null check (kind in ('oci-layout', 'directory')),
  location text collate "C" not null,
  selection jsonb not null,
  interval_seconds integer check (interval_seconds >= 60),
  enabled boolean not null,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  updated_by text not null,
  next_run_at timestamptz,
  seq bigint not null default 0,
  state_digest text collate "C",
  synced_at timestamptz,
  -- When the oldest change happened that no job has taken up yet.
  pending_since timestamptz,
  needs_verify boolean not null default false,
  unique (tenant, name),
  unique (tenant, location)
);
create index mirrors_due on mirror.mirrors (next_run_at) where enabled and next_run_at is not null;
create table mirror.jobs (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  mirror_id text collate "C" not null references mirror.mirrors on delete cascade,
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed')),
  cause text not null check (cause in ('event', 'request', 'schedule')),
  verify boolean not null,
  requested_by text not null,
  source text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  attempts integer not null default 0,
  -- Who works on it, until when. Without an owner a running job waits until then for its next attempt.
  lease_owner text collate "C",
  lease_until timestamptz,
  -- When the oldest change happened that it brings to the mirror.
  changed_since timestamptz,
  versions bigint not null default 0,
  total_versions bigint not null default 0,
  bytes bigint not null default 0,
  total_bytes bigint not null default 0,
  copied_bytes bigint not null default 0,
  repaired bigint not null default 0,
  skipped_versions bigint not null default 0,
  skipped jsonb not null default '[]',
  error_code text,
  error_message text,
  check ((state = 'running') = (lease_until is not null)),
  check ((state in ('succeeded', 'failed')) = (finished_at is not null))
);
-- A mirror is worked on by one job at a time, and needs no second that waits.
create unique index jobs_running on mirror.jobs (mirror_id) where state = 'running';
create unique index jobs_queued on mirror.jobs (mirror_id) where state = 'queued';
create index jobs_open on mirror.jobs (created_at) where state in ('queued', 'running');
create index jobs_mirror on mirror.jobs (tenant, mirror_id, id desc);
create table mirror.copies (
  tenant text collate "C" not null,
  mirror_id text collate "C" not null references mirror.mirrors on delete cascade,
  path text collate "C" not null,
  digest text collate "C" not null,
  size bigint not null,
  proven_at timestamptz not null default now(),
  primary key (mirror_id, path)
);`;

/** Nobody's transactions, those without a tenant, are the queue's: they see the work of all tenants. A tenant's see its own alone. */
const ROW_SECURITY = ['mirrors', 'jobs', 'copies']
  .map(
    table => `
alter table mirror.${table} enable row level security;
alter table mirror.${table} force row level security;
create policy own on mirror.${table} using (tenant = current_setting('app.tenant', true));
create policy queue on mirror.${table} to packs_mirror using (coalesce(current_setting('app.tenant', true), '') = '');`,
  )
  .join('\n');

const GRANTS = `
create policy schedule on mirror.mirrors for select to packs_parity using (coalesce(current_setting('app.tenant', true), '') = '');
grant select, insert, delete on mirror.mirrors to packs_mirror;
grant update (name, kind, location, selection, interval_seconds, enabled, updated_at, updated_by, next_run_at, seq, state_digest, synced_at,
  pending_since, needs_verify) on mirror.mirrors to packs_mirror;
grant select, insert on mirror.jobs to packs_mirror;
grant update (state, verify, started_at, finished_at, attempts, lease_owner, lease_until, changed_since, versions, total_versions, bytes,
  total_bytes, copied_bytes, repaired, skipped_versions, skipped, error_code, error_message) on mirror.jobs to packs_mirror;
grant select, insert, delete on mirror.copies to packs_mirror;
grant update (digest, size, proven_at) on mirror.copies to packs_mirror;
grant select on mirror.mirrors, mirror.jobs to packs_gateway, packs_parity;
grant select on registry.channel_moves to packs_mirror, packs_parity;`;
