import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Proofs of possession that were used, and what a namespace shows to everybody. */
export class DpopProofs1700000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PROOFS);
    await runner.query(NAMESPACE_POLICIES);
    await runner.query(PUBLIC_READ);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** No tenant's: a proof is known by the hash of its key and its jti (RFC 9449 §11.1). */
const PROOFS = `
create table gateway.dpop_proofs (
  id text collate "C" primary key,
  used_at timestamptz not null default now()
);
create index dpop_proofs_used on gateway.dpop_proofs (used_at);
grant select, insert, delete on gateway.dpop_proofs to packs_gateway;`;

/** A table of its own: a policy of registry.pack_versions asks it, and those of registry.tenants ask registry.pack_versions. */
const NAMESPACE_POLICIES = `
create table registry.namespace_policies (
  tenant text collate "C" primary key,
  public_read boolean not null default false,
  pull_by_digest_only boolean not null default false,
  updated_at timestamptz not null,
  updated_by text not null
);
alter table registry.namespace_policies enable row level security;
alter table registry.namespace_policies force row level security;
create policy own on registry.namespace_policies using (tenant = registry.current_tenant());
create policy announced on registry.namespace_policies for select using (public_read or pull_by_digest_only);
grant select, insert on registry.namespace_policies to packs_publisher;
grant update (public_read, pull_by_digest_only, updated_at, updated_by) on registry.namespace_policies to packs_publisher;
grant select (tenant, public_read, pull_by_digest_only) on registry.namespace_policies to packs_gateway;`;

/**
 * In a public namespace a caller without a tenant sees releases that are visible to every tenant, and everybody sees all generic
 * repositories. Channels, manifests, blobs and tags follow by their own policies, as for a version shared with another tenant.
 */
const PUBLIC_READ = `
create policy public_read on registry.pack_versions for select to packs_gateway
  using (coalesce(registry.current_tenant(), '') = '' and not prerelease and '*' = any(tenant_visibility)
    and exists (select 1 from registry.namespace_policies n where n.tenant = pack_versions.tenant and n.public_read));
create policy public_read on registry.repositories for select to packs_gateway
  using (kind = 'generic'
    and exists (select 1 from registry.namespace_policies n where n.tenant = repositories.tenant and n.public_read));
create policy public_read on registry.manifests for select to packs_gateway using (exists (
  select 1 from registry.repositories r
  where r.tenant = manifests.tenant and r.name = manifests.repository and r.kind = 'generic'));`;
