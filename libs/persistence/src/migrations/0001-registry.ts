import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Schemas `content` and `registry`: what the publisher owns. */
export class Registry1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CONTENT);
    await runner.query(PACKS);
    await runner.query(TRUST);
    await runner.query(OUTBOX);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const CONTENT = `
create schema content;
create table content.blobs (
  digest text collate "C" primary key check (digest ~ '^sha256:[0-9a-f]{64}$'),
  size bigint not null check (size >= 0),
  object_key text collate "C" not null unique,
  block_checksums bytea not null,
  created_at timestamptz not null default now()
);`;

const PACKS = `
create schema registry;
create table registry.packs (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  type text not null check (type in ('task', 'policy', 'analyzer', 'bundle')),
  created_at timestamptz not null default now(),
  primary key (tenant, pack_id)
);
create table registry.manifests (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  media_type text not null,
  artifact_type text not null,
  subject text collate "C",
  created_at timestamptz not null default now(),
  primary key (tenant, pack_id, digest),
  foreign key (tenant, pack_id) references registry.packs on delete restrict
);
create index manifests_subject on registry.manifests (tenant, pack_id, subject, artifact_type) where subject is not null;
create table registry.manifest_blobs (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  manifest_digest text collate "C" not null,
  blob_digest text collate "C" not null references content.blobs on delete restrict,
  primary key (tenant, pack_id, manifest_digest, blob_digest),
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict
);
create index manifest_blobs_blob on registry.manifest_blobs (blob_digest);
create table registry.verdicts (
  tenant text collate "C" not null,
  hash text collate "C" not null,
  document jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant, hash)
);
create table registry.pack_versions (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  -- The version without build metadata: two versions may not differ in that alone.
  version_core text collate "C" not null,
  sort_key text collate "C" not null,
  prerelease boolean not null,
  name text not null,
  manifest_digest text collate "C" not null,
  bundle_digest text collate "C" not null references content.blobs on delete restrict,
  bundle_size bigint not null,
  config_digest text collate "C" not null references content.blobs on delete restrict,
  config jsonb not null,
  tags text[] not null,
  tenant_visibility text[] not null,
  channel text collate "C" not null,
  verdict_hash text collate "C" not null,
  trust_epoch bigint not null,
  published_at timestamptz not null,
  published_by text not null,
  source text,
  deprecated_at timestamptz,
  deprecated_by text,
  deprecation_reason text,
  replacement text,
  primary key (tenant, pack_id, version),
  unique (tenant, pack_id, version_core),
  foreign key (tenant, pack_id) references registry.packs on delete restrict,
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
create index pack_versions_order on registry.pack_versions (tenant, pack_id, sort_key desc);
create index pack_versions_verdict on registry.pack_versions (tenant, verdict_hash);
create table registry.signatures (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  media_type text not null,
  manifest_digest text collate "C" not null,
  key_name text,
  key_id text,
  scheme text,
  added_at timestamptz not null,
  primary key (tenant, pack_id, version, digest),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict,
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict
);
create table registry.channel_heads (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  channel text collate "C" not null,
  version text collate "C" not null,
  moved_at timestamptz not null,
  moved_by text not null,
  primary key (tenant, pack_id, channel),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict
);`;

const TRUST = `
create table registry.tenants (
  tenant text collate "C" primary key,
  -- Rises with every change of the trust material and never falls.
  trust_epoch bigint not null default 0,
  trust_digest text collate "C" references content.blobs on delete restrict,
  share_with text[] not null default '{}'
);
create table registry.policies (
  tenant text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  document jsonb not null,
  digest text collate "C" not null,
  active boolean not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (tenant, name, version)
);
create unique index policies_active on registry.policies (tenant, name) where active;
create table registry.idempotency_keys (
  tenant text collate "C" not null,
  key text collate "C" not null,
  request_hash text collate "C" not null,
  reply jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant, key)
);`;

const OUTBOX = `
create table registry.outbox (
  id bigint generated always as identity,
  event_id text collate "C" not null,
  tenant text collate "C" not null,
  subject text not null,
  payload bytea not null,
  traceparent text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (id, created_at)
) partition by range (created_at);
create table registry.outbox_default partition of registry.outbox default;
create index outbox_unsent on registry.outbox (id) where sent_at is null;
create index outbox_event on registry.outbox (event_id);`;

/**
 * A caller sees rows of its own tenant and, through `visible`, versions their owner's signed metadata shares with it.
 * Rows that hang on a version are visible exactly when a visible version leads to them.
 */
const ROW_SECURITY = `
create function registry.current_tenant() returns text language sql stable
  as $$ select current_setting('app.tenant', true) $$;

alter table registry.pack_versions enable row level security;
alter table registry.pack_versions force row level security;
create policy own on registry.pack_versions using (tenant = registry.current_tenant());
create policy visible on registry.pack_versions for select
  using (registry.current_tenant() <> '' and tenant_visibility && array['*', registry.current_tenant()]);

alter table registry.packs enable row level security;
alter table registry.packs force row level security;
create policy own on registry.packs using (tenant = registry.current_tenant());
create policy visible on registry.packs for select using (exists (
  select 1 from registry.pack_versions v where v.tenant = packs.tenant and v.pack_id = packs.pack_id));

alter table registry.verdicts enable row level security;
alter table registry.verdicts force row level security;
create policy own on registry.verdicts using (tenant = registry.current_tenant());
create policy visible on registry.verdicts for select using (exists (
  select 1 from registry.pack_versions v where v.tenant = verdicts.tenant and v.verdict_hash = verdicts.hash));

alter table registry.signatures enable row level security;
alter table registry.signatures force row level security;
create policy own on registry.signatures using (tenant = registry.current_tenant());
create policy visible on registry.signatures for select using (exists (
  select 1 from registry.pack_versions v
  where v.tenant = signatures.tenant and v.pack_id = signatures.pack_id and v.version = signatures.version));

alter table registry.channel_heads enable row level security;
alter table registry.channel_heads force row level security;
create policy own on registry.channel_heads using (tenant = registry.current_tenant());
create policy visible on registry.channel_heads for select using (exists (
  select 1 from registry.pack_versions v
  where v.tenant = channel_heads.tenant and v.pack_id = channel_heads.pack_id and v.version = channel_heads.version));

alter table registry.tenants enable row level security;
alter table registry.tenants force row level security;
create policy own on registry.tenants using (tenant = registry.current_tenant());
create policy visible on registry.tenants for select using (exists (
  select 1 from registry.pack_versions v where v.tenant = tenants.tenant));

alter table registry.policies enable row level security;
alter table registry.policies force row level security;
create policy own on registry.policies using (tenant = registry.current_tenant());
create policy visible on registry.policies for select using (exists (
  select 1 from registry.pack_versions v where v.tenant = policies.tenant));

alter table registry.manifests enable row level security;
alter table registry.manifests force row level security;
create policy own on registry.manifests using (tenant = registry.current_tenant());

alter table registry.manifest_blobs enable row level security;
alter table registry.manifest_blobs force row level security;
create policy own on registry.manifest_blobs using (tenant = registry.current_tenant());

alter table registry.idempotency_keys enable row level security;
alter table registry.idempotency_keys force row level security;
create policy own on registry.idempotency_keys using (tenant = registry.current_tenant());

alter table registry.outbox enable row level security;
alter table registry.outbox force row level security;
create policy own on registry.outbox for insert with check (tenant = registry.current_tenant());
create policy relay_reads on registry.outbox for select to packs_publisher using (true);
create policy relay_marks on registry.outbox for update to packs_publisher using (true);`;

/** Columns that may change are named one by one: what was published cannot be rewritten by any login role. */
const GRANTS = `
grant usage on schema content, registry to packs_publisher, packs_gateway;
grant select, insert on content.blobs to packs_publisher, packs_gateway;
grant select, insert on all tables in schema registry to packs_publisher;
revoke insert, select on registry.outbox_default from packs_publisher;
grant update (created_at) on registry.packs to packs_publisher;
grant update (deprecated_at, deprecated_by, deprecation_reason, replacement) on registry.pack_versions to packs_publisher;
grant update (version, moved_at, moved_by) on registry.channel_heads to packs_publisher;
grant update (trust_epoch, trust_digest, share_with) on registry.tenants to packs_publisher;
grant update (active) on registry.policies to packs_publisher;
grant update (sent_at) on registry.outbox to packs_publisher;
grant select on registry.packs, registry.pack_versions, registry.verdicts, registry.signatures, registry.channel_heads,
  registry.tenants, registry.policies to packs_gateway;
grant execute on function registry.current_tenant() to packs_publisher, packs_gateway;`;
