import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Repositories of any OCI content, beside and beneath those of packs; versions that wait for their signatures; uploads. */
export class Repositories1700000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CONTENT);
    await runner.query(REPOSITORIES);
    await runner.query(PENDING);
    await runner.query(UPLOADS);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const CONTENT = `
alter table content.blobs drop constraint blobs_digest_check,
  add constraint blobs_digest_check check (digest ~ '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$'),
  add column quarantined_at timestamptz,
  add column quarantine_reason text;
create index blobs_quarantined on content.blobs (digest) where quarantined_at is not null;
-- What was uploaded or mounted into a repository: readable there by those who may push, until a manifest makes it everybody's who may read that.
create table content.repository_blobs (
  tenant text collate "C" not null,
  repository text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  uploaded_by text not null,
  uploaded_at timestamptz not null default now(),
  primary key (tenant, repository, digest)
);
create index repository_blobs_digest on content.repository_blobs (digest, tenant);`;

/** A pack's repository is named by its packId; what \`registry.manifests\` called a pack is a repository of either kind from here on. */
const REPOSITORIES = `
create table registry.repositories (
  tenant text collate "C" not null,
  name text collate "C" not null,
  -- Settled by the first manifest.
  kind text not null check (kind in ('pack', 'generic')),
  created_at timestamptz not null default now(),
  primary key (tenant, name)
);
-- The owner sees them only while row-level security is not forced.
alter table registry.packs no force row level security;
insert into registry.repositories (tenant, name, kind, created_at) select tenant, pack_id, 'pack', created_at from registry.packs;
alter table registry.packs force row level security;
alter table registry.manifests drop constraint manifests_tenant_pack_id_fkey;
alter table registry.manifests rename column pack_id to repository;
alter table registry.manifest_blobs rename column pack_id to repository;
alter table registry.manifests
  add foreign key (tenant, repository) references registry.repositories on delete restrict,
  add column annotations jsonb not null default '{}',
  -- The manifest that the tag sha256-<hex>.sig, .att or .sbom it came under names, where it has no subject of its own.
  add column tagged_subject text collate "C";
create index manifests_tagged_subject on registry.manifests (tenant, repository, tagged_subject) where tagged_subject is not null;
create table registry.tags (
  tenant text collate "C" not null,
  repository text collate "C" not null,
  tag text collate "C" not null,
  manifest_digest text collate "C" not null,
  updated_at timestamptz not null,
  updated_by text not null,
  primary key (tenant, repository, tag),
  foreign key (tenant, repository, manifest_digest) references registry.manifests on delete restrict
);
create index tags_manifest on registry.tags (tenant, repository, manifest_digest);
-- A version's tag is the version with _ for +, which a tag may not have.
create index pack_versions_tag on registry.pack_versions (tenant, pack_id, (replace(version, '+', '_') collate "C"));
create index pack_versions_manifest on registry.pack_versions (tenant, pack_id, manifest_digest);`;

/** A claim on a version number. It ends as a published version, or is taken away and frees the number. */
const PENDING = `
create table registry.pending_versions (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  version_core text collate "C" not null,
  manifest_digest text collate "C" not null,
  bundle_digest text collate "C" not null references content.blobs on delete restrict,
  channel text collate "C" not null,
  -- Why it was not accepted yet: codes of the verdict.
  reasons text[] not null,
  claimed_at timestamptz not null,
  claimed_by text not null,
  source text,
  expires_at timestamptz not null,
  primary key (tenant, pack_id, version_core),
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict
);
create index pending_versions_tag on registry.pending_versions (tenant, pack_id, (replace(version, '+', '_') collate "C"));
create index pending_versions_manifest on registry.pending_versions (tenant, pack_id, manifest_digest);
create index pending_versions_expiry on registry.pending_versions (expires_at);`;

const UPLOADS = `
create schema gateway;
create table gateway.uploads (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  repository text collate "C" not null,
  -- What the blob store knows of the bytes so far; null before the first.
  upload jsonb,
  algorithm text not null check (algorithm in ('sha256', 'sha512')),
  started_by text not null,
  started_at timestamptz not null default now(),
  touched_at timestamptz not null default now(),
  -- Who takes bytes for it now, until when.
  lease_owner text collate "C",
  lease_until timestamptz
);
create index uploads_touched on gateway.uploads (touched_at);
create index uploads_tenant on gateway.uploads (tenant);`;

/** Rows that hang on a manifest are visible exactly when a visible version leads to it. */
const ROW_SECURITY = `
alter table registry.repositories enable row level security;
alter table registry.repositories force row level security;
create policy own on registry.repositories using (tenant = registry.current_tenant());
create policy visible on registry.repositories for select using (kind = 'pack' and exists (
  select 1 from registry.pack_versions v where v.tenant = repositories.tenant and v.pack_id = repositories.name));

create policy visible on registry.manifests for select using (exists (
  select 1 from registry.pack_versions v
  where v.tenant = manifests.tenant and v.pack_id = manifests.repository and 
    v.manifest_digest in (manifests.digest, manifests.subject, manifests.tagged_subject)));

create policy visible on registry.manifest_blobs for select using (exists (
  select 1 from registry.manifests m
  where m.tenant = manifest_blobs.tenant and m.repository = manifest_blobs.repository and m.digest = manifest_blobs.manifest_digest));

alter table registry.tags enable row level security;
alter table registry.tags force row level security;
create policy own on registry.tags using (tenant = registry.current_tenant());
create policy visible on registry.tags for select using (exists (
  select 1 from registry.manifests m
  where m.tenant = tags.tenant and m.repository = tags.repository and m.digest = tags.manifest_digest));

alter table registry.pending_versions enable row level security;
alter table registry.pending_versions force row level security;
create policy own on registry.pending_versions using (tenant = registry.current_tenant());
create policy expiry on registry.pending_versions for select to packs_publisher
  using (coalesce(registry.current_tenant(), '') = '');

alter table content.repository_blobs enable row level security;
alter table content.repository_blobs force row level security;
create policy own on content.repository_blobs using (tenant = registry.current_tenant());

alter table gateway.uploads enable row level security;
alter table gateway.uploads force row level security;
create policy own on gateway.uploads using (tenant = registry.current_tenant());
create policy sweep on gateway.uploads to packs_gateway using (coalesce(registry.current_tenant(), '') = '');`;

/** Of manifests and links only what nothing leans on can be deleted: foreign keys hold every manifest and blob of a version. */
const GRANTS = `
grant usage on schema gateway to packs_gateway;
grant select, insert, delete on gateway.uploads to packs_gateway;
grant update (upload, touched_at, lease_owner, lease_until) on gateway.uploads to packs_gateway;
grant select, insert on content.repository_blobs to packs_gateway;
grant execute on function registry.hold_seal() to packs_gateway;
grant select, insert, delete on content.repository_blobs to packs_publisher;
grant select on registry.repositories, registry.manifests, registry.manifest_blobs, registry.tags, registry.pending_versions to packs_gateway;
grant select, insert on registry.repositories to packs_publisher;
grant update (created_at) on registry.repositories to packs_publisher;
grant delete on registry.manifests, registry.manifest_blobs to packs_publisher;
grant select, insert, delete on registry.tags, registry.pending_versions to packs_publisher;
grant update (manifest_digest, updated_at, updated_by) on registry.tags to packs_publisher;
grant select on registry.repositories to packs_mirror, packs_parity;`;
