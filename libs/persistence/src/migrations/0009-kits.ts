import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Offline kits: the work on them, whose kits a tenant takes, and which it has taken. */
export class Kits1700000000009 implements MigrationInterface {
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
create table mirror.kit_jobs (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  kind text not null check (kind in ('export', 'import')),
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed')),
  requested_by text not null,
  source text,
  request jsonb not null,
  -- The audit seq an export is made as of: settled before its first byte, so that whoever takes it over makes the same kit.
  generation bigint,
  report jsonb,
  result jsonb,
  error jsonb,
  done_bytes bigint not null default 0,
  total_bytes bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  attempts integer not null default 0,
  -- Who works on it, until when. Without an owner a running job waits until then for its next attempt.
  lease_owner text collate "C",
  lease_until timestamptz,
  -- Objects of a finished import that nothing refers to are still to be removed.
  to_clear boolean not null default false,
  kit_digest text collate "C" references content.blobs on delete restrict,
  signature_digest text collate "C" references content.blobs on delete restrict,
  check ((state = 'running') = (lease_until is not null)),
  check ((state in ('succeeded', 'failed')) = (finished_at is not null))
);
create index kit_jobs_open on mirror.kit_jobs (created_at) where state in ('queued', 'running');
create index kit_jobs_to_clear on mirror.kit_jobs (id) where to_clear;
-- A tenant's imports take turns.
create unique index kit_jobs_importing on mirror.kit_jobs (tenant) where state = 'running' and kind = 'import';
create table mirror.kit_staging (
  tenant text collate "C" not null,
  job_id text collate "C" not null references mirror.kit_jobs on delete restrict,
  digest text collate "C" not null,
  size bigint not null,
  object_key text collate "C" not null,
  block_checksums bytea not null,
  primary key (job_id, digest)
);
create table registry.exporters (
  tenant text collate "C" primary key,
  digest text collate "C" not null references content.blobs on delete restrict,
  updated_at timestamptz not null,
  updated_by text not null
);
create table registry.imported_kits (
  tenant text collate "C" not null,
  -- The audit log the kit was made from, by its first leaf.
  log text collate "C" not null,
  kit_digest text collate "C" not null,
  generation bigint not null,
  exporter_key text collate "C" not null,
  imported_at timestamptz not null,
  imported_by text not null,
  primary key (tenant, log, kit_digest)
);
create index imported_kits_newest on registry.imported_kits (tenant, log, generation desc);`;

/** Transactions without a tenant are the queue's: they see the work of all tenants. A tenant's see its own alone. */
const ROW_SECURITY = [
  ...['kit_jobs', 'kit_staging'].map(
    table => `
alter table mirror.${table} enable row level security;
alter table mirror.${table} force row level security;
create policy own on mirror.${table} using (tenant = current_setting('app.tenant', true));
create policy queue on mirror.${table} to packs_mirror using (coalesce(current_setting('app.tenant', true), '') = '');`,
  ),
  ...['exporters', 'imported_kits'].map(
    table => `
alter table registry.${table} enable row level security;
alter table registry.${table} force row level security;
create policy own on registry.${table} using (tenant = registry.current_tenant());`,
  ),
].join('\n');

const GRANTS = `
grant select, insert on mirror.kit_jobs to packs_mirror;
grant update (state, generation, report, result, error, done_bytes, total_bytes, started_at, finished_at, attempts, lease_owner, lease_until,
  to_clear, kit_digest, signature_digest) on mirror.kit_jobs to packs_mirror;
grant select, insert, delete on mirror.kit_staging to packs_mirror;
grant select on mirror.kit_jobs to packs_gateway;
grant select, insert on registry.exporters, registry.imported_kits to packs_publisher;
grant update (digest, updated_at, updated_by) on registry.exporters to packs_publisher;
grant select on registry.exporters to packs_gateway, packs_mirror;
grant select on registry.imported_kits to packs_mirror;
-- A kit is made by folding the log.
grant usage on schema compliance to packs_mirror;
grant select on compliance.audit_log, compliance.audit_heads to packs_mirror;`;
