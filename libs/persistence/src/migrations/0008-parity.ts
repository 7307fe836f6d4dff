import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Comparisons of mirrors with the registry, and what they found. */
export class Parity1700000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const FINDING = `
  -- Empty: a file that belongs to no version.
  pack_id text collate "C" not null,
  version text collate "C" not null,
  -- The file that differs first, or that belongs to no version.
  path text collate "C" not null,
  state text not null check (state in ('in-step', 'missing', 'extra', 'different-digest', 'missing-signature', 'stale-state')),
  by_bytes boolean not null,
  -- Digest of the list of files that were hashed and found right.
  proof text collate "C",
  -- The path of a file, and nothing for a version: a version has one row whatever differs.
  stray text collate "C" generated always as (case when pack_id = '' then path else '' end) stored`;

const TABLES = `
create table parity.comparisons (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  mirror_id text collate "C" not null,
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed')),
  cause text not null check (cause in ('event', 'request', 'schedule')),
  depth text not null check (depth in ('bytes', 'changes', 'index')),
  requested_by text not null,
  source text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  -- When the attempt began whose findings count.
  attempt_at timestamptz,
  finished_at timestamptz,
  attempts integer not null default 0,
  -- Who works on it, until when. Without an owner a running one waits until then for its next attempt.
  lease_owner text collate "C",
  lease_until timestamptz,
  versions bigint not null default 0,
  total_versions bigint not null default 0,
  hashed_bytes bigint not null default 0,
  counts jsonb,
  error_code text,
  error_message text,
  check ((state = 'running') = (lease_until is not null)),
  check ((state in ('succeeded', 'failed')) = (finished_at is not null))
);
create unique index comparisons_running on parity.comparisons (mirror_id) where state = 'running';
create unique index comparisons_queued on parity.comparisons (mirror_id) where state = 'queued';
create index comparisons_open on parity.comparisons (created_at) where state in ('queued', 'running');
create index comparisons_mirror on parity.comparisons (mirror_id, id desc);
-- What an unfinished comparison has found so far: nobody is shown it.
create table parity.findings (
  tenant text collate "C" not null,
  comparison_id text collate "C" not null references parity.comparisons on delete cascade,
  ${FINDING},
  primary key (comparison_id, pack_id, version, stray)
);
create table parity.parity_matrix (
  tenant text collate "C" not null,
  mirror_id text collate "C" not null,
  ${FINDING},
  checked_at timestamptz not null,
  -- Null: no comparison has looked, an event told of it.
  comparison_id text collate "C",
  -- When the change happened that an event told of and no comparison has seen.
  changed_at timestamptz,
  primary key (mirror_id, pack_id, version, stray)
);
create index parity_matrix_state on parity.parity_matrix (mirror_id, state, pack_id, version, stray);
create table parity.mirrors (
  mirror_id text collate "C" primary key,
  tenant text collate "C" not null,
  -- Null: not known.
  in_step boolean,
  depth text,
  checked_at timestamptz,
  bytes_checked_at timestamptz,
  comparison_id text collate "C",
  -- When the oldest change happened that no comparison has seen, and when the last of them was told.
  pending_since timestamptz,
  pending_told_at timestamptz,
  announced text[] not null default '{}',
  announced_seq bigint not null default 0,
  error_code text,
  error_message text
);`;

/** Transactions without a tenant are the queue's: they see the work of all tenants. A tenant's see its own alone. */
const ROW_SECURITY = ['comparisons', 'findings', 'parity_matrix', 'mirrors']
  .map(
    table => `
alter table parity.${table} enable row level security;
alter table parity.${table} force row level security;
create policy own on parity.${table} using (tenant = current_setting('app.tenant', true));
create policy queue on parity.${table} to packs_parity using (coalesce(current_setting('app.tenant', true), '') = '');`,
  )
  .join('\n');

const GRANTS = `
create policy sync_state on mirror.jobs for select to packs_parity using (coalesce(current_setting('app.tenant', true), '') = '');
grant select on mirror.copies to packs_parity;
grant select, insert, delete on parity.comparisons, parity.findings, parity.parity_matrix, parity.mirrors to packs_parity;
grant update (state, depth, started_at, attempt_at, finished_at, attempts, lease_owner, lease_until, versions, total_versions, hashed_bytes, counts,
  error_code, error_message) on parity.comparisons to packs_parity;
grant update (path, state, by_bytes, proof, checked_at, comparison_id, changed_at) on parity.parity_matrix to packs_parity;
grant update (in_step, depth, checked_at, bytes_checked_at, comparison_id, pending_since, pending_told_at, announced, announced_seq, error_code,
  error_message) on parity.mirrors to packs_parity;
grant select on parity.comparisons, parity.parity_matrix, parity.mirrors to packs_gateway;`;
