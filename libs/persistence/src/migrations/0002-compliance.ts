import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Schema `compliance`: the audit log and what its consumer remembers. */
export class Compliance1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create schema compliance;
create table compliance.audit_heads (
  tenant text collate "C" primary key,
  seq bigint not null
);
create table compliance.audit_log (
  tenant text collate "C" not null,
  seq bigint not null,
  event_id text collate "C" not null,
  type text collate "C" not null,
  pack_id text collate "C",
  version text collate "C",
  occurred_at timestamptz not null,
  appended_at timestamptz not null default now(),
  -- The entry in RFC 8785 JSON, and SHA-256(0x00 || leaf) as RFC 6962 hashes leaves.
  leaf bytea not null,
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  primary key (tenant, seq),
  unique (tenant, event_id)
);
create index audit_log_pack on compliance.audit_log (tenant, pack_id, seq) where pack_id is not null;
create index audit_log_type on compliance.audit_log (tenant, type, seq);
create table compliance.inbox (
  consumer text collate "C" not null,
  message_id text collate "C" not null,
  received_at timestamptz not null default now(),
  primary key (consumer, message_id)
);
create table compliance.dead_letters (
  id text collate "C" primary key,
  consumer text collate "C" not null,
  tenant text collate "C" not null,
  subject text not null,
  event_id text collate "C",
  payload_hash text collate "C" not null,
  payload bytea not null,
  reason text not null,
  attempts integer not null,
  dead_at timestamptz not null default now(),
  replayed_at timestamptz,
  unique (consumer, payload_hash)
);
create index dead_letters_tenant on compliance.dead_letters (tenant, id);`;

const ROW_SECURITY = `
grant usage on schema compliance to packs_compliance, packs_gateway;

alter table compliance.audit_log enable row level security;
alter table compliance.audit_log force row level security;
create policy own on compliance.audit_log using (tenant = current_setting('app.tenant', true));
grant select, insert on compliance.audit_log to packs_compliance;
grant select on compliance.audit_log to packs_gateway;

alter table compliance.audit_heads enable row level security;
alter table compliance.audit_heads force row level security;
create policy own on compliance.audit_heads using (tenant = current_setting('app.tenant', true));
grant select, insert on compliance.audit_heads to packs_compliance;
grant update (seq) on compliance.audit_heads to packs_compliance;
grant select on compliance.audit_heads to packs_gateway;

grant select, insert on compliance.inbox to packs_compliance;

alter table compliance.dead_letters enable row level security;
alter table compliance.dead_letters force row level security;
create policy own on compliance.dead_letters using (tenant = current_setting('app.tenant', true));
grant select, insert on compliance.dead_letters to packs_compliance;
grant update (replayed_at) on compliance.dead_letters to packs_compliance;`;
