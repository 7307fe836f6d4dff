import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a tenant trusts as signed files, each with what came before it; and what time does to what is trusted. */
export class TrustBundles1700000000022 implements MigrationInterface {
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
create table registry.trust_bundles (
  tenant text collate "C" not null,
  version bigint not null,
  -- Of the payload; the file is stored with its signatures.
  digest text collate "C" not null,
  document text collate "C" not null references content.blobs on delete restrict,
  material text collate "C" not null references content.blobs on delete restrict,
  valid_until timestamptz not null,
  imported_at timestamptz not null,
  imported_by text not null,
  primary key (tenant, version)
);
create table registry.trust_watches (
  tenant text collate "C" primary key,
  -- Since when the trust epoch holds.
  changed_at timestamptz not null,
  -- When to look again; null: when something changes.
  check_at timestamptz,
  -- The trust bundle file it was compared with.
  compared text collate "C",
  findings jsonb not null default '{"drift": null, "endings": []}'
);
create index trust_watches_due on registry.trust_watches (check_at);
insert into registry.trust_watches (tenant, changed_at, check_at) select tenant, now(), now() from registry.tenants where trust_epoch > 0;`;

/** Nobody reads through them: whatever decides a read is in the tenant's trust epoch, which tells of its changes by itself. */
const ROW_SECURITY = [
  ...['trust_bundles', 'trust_watches'].map(
    table => `
alter table registry.${table} enable row level security;
alter table registry.${table} force row level security;
create policy own on registry.${table} using (tenant = registry.current_tenant());`,
  ),
  `create policy watch on registry.trust_watches for select to packs_publisher using (coalesce(registry.current_tenant(), '') = '');`,
].join('\n');

const GRANTS = `
grant select, insert on registry.trust_bundles, registry.trust_watches to packs_publisher;
grant update (changed_at, check_at, compared, findings) on registry.trust_watches to packs_publisher;
grant select on registry.trust_bundles to packs_gateway;`;
