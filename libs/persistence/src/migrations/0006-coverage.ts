import type { MigrationInterface, QueryRunner } from 'typeorm';
import { OUTBOX_SCHEMAS } from '../event-record';

/**
 * How well versions are covered by signatures and attestations: a projection of the events alone. Each row can be made from the events
 * about it in any order, and made again from the record.
 */
export class Coverage1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    for (const [table, changing] of Object.entries(CHANGING)) await runner.query(access(table, changing));
    // The record of one tenant's events in their order.
    for (const schema of OUTBOX_SCHEMAS) await runner.query(`create index outbox_record on ${schema}.outbox (tenant, created_at, id)`);
    // A rebuild forgets what the consumer has seen of a tenant.
    await runner.query(`grant delete on compliance.inbox to packs_compliance`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** The columns of each table that a later event may change. */
const CHANGING = {
  version_coverage: 'pack_type, published_at, signers, signatures, deprecated_at, archived_at, updated_at, updated_by',
  attestation_coverage: '',
  channel_coverage: 'version, sort_key, moved_at, moved_by_event',
  trust_coverage: 'epoch, key_ids, updated_at, updated_by_event',
} as const;

const TABLES = `
create table compliance.version_coverage (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  -- Null while nothing but later events have arrived.
  pack_type text,
  published_at timestamptz,
  -- Keys whose signatures were valid at the publish.
  signers text[] not null default '{}',
  signatures integer not null default 0,
  deprecated_at timestamptz,
  archived_at timestamptz,
  scan_state text not null default 'not-scanned' check (scan_state in ('not-scanned')),
  -- The newest event that is part of the row.
  updated_at timestamptz not null,
  updated_by text collate "C" not null,
  primary key (tenant, pack_id, version)
);
create table compliance.attestation_coverage (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  digest text collate "C" not null,
  predicate_type text not null,
  signers text[] not null,
  added_at timestamptz not null,
  added_by_event text collate "C" not null,
  primary key (tenant, pack_id, version, digest)
);
create table compliance.channel_coverage (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  channel text collate "C" not null,
  version text collate "C" not null,
  -- Heads only move forward, so that the newest version is the head whatever order the moves arrive in.
  sort_key text collate "C" not null,
  moved_at timestamptz not null,
  moved_by_event text collate "C" not null,
  primary key (tenant, pack_id, channel)
);
create index channel_coverage_version on compliance.channel_coverage (tenant, pack_id, version);
create table compliance.trust_coverage (
  tenant text collate "C" primary key,
  epoch bigint not null,
  key_ids text[] not null,
  updated_at timestamptz not null,
  updated_by_event text collate "C" not null
);`;

function access(table: string, changing: string): string {
  return `
alter table compliance.${table} enable row level security;
alter table compliance.${table} force row level security;
create policy own on compliance.${table} using (tenant = current_setting('app.tenant', true));
grant select, insert, delete on compliance.${table} to packs_compliance;
${changing && `grant update (${changing}) on compliance.${table} to packs_compliance;`}
grant select on compliance.${table} to packs_gateway;`;
}
