import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The reads of the OCI door, each one statement: a function sets the caller's tenant for its transaction and then reads under row-level security.
 *
 * What a tenant sees of others' repositories is asked by functions as well: a subquery in a policy becomes part of the plan of every statement, with the
 * policies of the tables that it reads, and so on; setting up and taking down dozens of plan nodes cost a read of one's own rows ten times what
 * the read itself does. A function is called for others' rows alone. It runs as whoever asks, under row-level security like the subquery it replaces.
 */
export class RepositoryReads1700000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(INDEXES);
    await runner.query(FUNCTIONS);
    await runner.query(POLICIES);
    await runner.query(READ_MANIFEST);
    await runner.query(READ_BLOB);
    await runner.query(READ_MANY);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const INDEXES = `
create index manifest_blobs_of_repository on registry.manifest_blobs (tenant, repository, blob_digest);
create index manifests_referrers on registry.manifests (tenant, repository, subject, digest) where subject is not null;
-- Whether others see anything of a pack is asked of these alone, so that the answer takes as long for a pack with many private versions.
create index pack_versions_shared on registry.pack_versions (tenant, pack_id, manifest_digest) where cardinality(tenant_visibility) > 0;`;

const FUNCTIONS = `
create function registry.shows_version_of(of_tenant text, of_repository text) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.pack_versions v where v.tenant = of_tenant and v.pack_id = of_repository and cardinality(v.tenant_visibility) > 0);
end $$;
create function registry.shows_version_with(of_tenant text, of_repository text, manifests text[]) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.pack_versions v
    where v.tenant = of_tenant and v.pack_id = of_repository and v.manifest_digest = any(manifests)
      and cardinality(v.tenant_visibility) > 0);
end $$;
create function registry.shows_manifest(of_tenant text, of_repository text, of_digest text) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.manifests m where m.tenant = of_tenant and m.repository = of_repository and m.digest = of_digest);
end $$;
create function registry.shows_repository(of_tenant text, of_repository text) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.repositories r where r.tenant = of_tenant and r.name = of_repository and r.kind = 'generic');
end $$;
create function registry.is_public(of_tenant text) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.namespace_policies n where n.tenant = of_tenant and n.public_read);
end $$;
create function registry.shows_any_version(of_tenant text) returns boolean
language plpgsql stable set search_path = pg_catalog as $$ begin
  return exists (select from registry.pack_versions v where v.tenant = of_tenant and cardinality(v.tenant_visibility) > 0);
end $$;`;

const OTHERS = 'tenant is distinct from registry.current_tenant()';

const POLICIES = `
alter policy visible on registry.repositories
  using (${OTHERS} and kind = 'pack' and registry.shows_version_of(tenant, name));
alter policy public_read on registry.repositories
  using (${OTHERS} and kind = 'generic' and registry.is_public(tenant));
alter policy visible on registry.manifests
  using (${OTHERS} and registry.shows_version_with(tenant, repository, array[digest, subject, tagged_subject]));
alter policy public_read on registry.manifests
  using (${OTHERS} and registry.shows_repository(tenant, repository));
alter policy visible on registry.manifest_blobs
  using (${OTHERS} and registry.shows_manifest(tenant, repository, manifest_digest));
alter policy visible on registry.tags
  using (${OTHERS} and registry.shows_manifest(tenant, repository, manifest_digest));
alter policy visible on registry.tenants
  using (${OTHERS} and registry.shows_any_version(tenant));
alter policy public_read on registry.pack_versions
  using (coalesce(registry.current_tenant(), '') = '' and not prerelease and '*' = any(tenant_visibility) and registry.is_public(tenant));`;

/**
 * The same questions are asked about another tenant's repository that shows nothing to the caller and about one that there is not, and no more: how
 * long that takes must not tell of what is in it.
 */
const SHOWS_NOTHING = `caller is distinct from namespace
    and not (registry.shows_version_of(namespace, repo) or registry.is_public(namespace))`;

/** What the version that a manifest is, or belongs to, says of it; for those who may push also one that waits for signatures. */
const VERSION_OF = `
      left join lateral (
        select v.pack_id, v.version, v.trust_epoch, v.deprecated_at, v.deprecation_reason, v.replacement from registry.pack_versions v
        where v.tenant = m.tenant and v.pack_id = m.repository
          and v.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) v on true
      left join lateral (
        select p.pack_id, p.version from registry.pending_versions p
        where may_push and v.version is null and p.tenant = m.tenant and p.pack_id = m.repository
          and p.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) p on true
      left join registry.tenants t on t.tenant = m.tenant`;

const SELECT_VERSION = `
        coalesce(v.pack_id, p.pack_id), coalesce(v.version, p.version), v.version is null, v.trust_epoch, coalesce(t.trust_epoch, 0),
        v.deprecated_at is not null, v.deprecation_reason, v.replacement`;

const NO_VERSION = `null::text, null::text, true, null::bigint, 0::bigint, false, null::text, null::text`;

const VERSION_COLUMNS = `
  pack_id text, version text, pending boolean, verified_epoch bigint, current_epoch bigint, deprecated boolean, deprecation_reason text, replacement text`;

/** A generic repository has no versions to look for. */
const READ_MANIFEST = `
create function registry.read_manifest(caller text, namespace text, repo text, by_tag text, by_digest text, may_push boolean)
returns table (media_type text, digest text, size bigint, object_key text, block_checksums bytea, kind text, digest_only boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$
declare
  wanted text := by_digest;
  of_kind text;
begin
  perform set_config('app.tenant', caller, true);
  if ${SHOWS_NOTHING} then return; end if;
  select r.kind into of_kind from registry.repositories r where r.tenant = namespace and r.name = repo;
  if of_kind is null then return; end if;
  if wanted is null then
    select g.manifest_digest into wanted from registry.tags g where g.tenant = namespace and g.repository = repo and g.tag = by_tag;
  end if;
  if of_kind = 'generic' then
    return query
      select m.media_type, b.digest, b.size, b.object_key, b.block_checksums, of_kind, coalesce(n.pull_by_digest_only, false), ${NO_VERSION}
      from registry.manifests m
      join content.blobs b on b.digest = m.digest
      left join registry.namespace_policies n on n.tenant = m.tenant
      where m.tenant = namespace and m.repository = repo and m.digest = wanted;
    return;
  end if;
  if wanted is null then
    select x.manifest_digest into wanted from registry.pack_versions x
    where x.tenant = namespace and x.pack_id = repo and replace(x.version, '+', '_') collate "C" = by_tag;
  end if;
  if wanted is null then
    select x.manifest_digest into wanted from registry.channel_heads h
    join registry.pack_versions x on x.tenant = h.tenant and x.pack_id = h.pack_id and x.version = h.version
    where h.tenant = namespace and h.pack_id = repo and h.channel = by_tag;
  end if;
  if wanted is null and may_push then
    select x.manifest_digest into wanted from registry.pending_versions x
    where x.tenant = namespace and x.pack_id = repo and replace(x.version, '+', '_') collate "C" = by_tag;
  end if;
  if wanted is null then return; end if;
  return query
    select m.media_type, b.digest, b.size, b.object_key, b.block_checksums, of_kind, coalesce(n.pull_by_digest_only, false), ${SELECT_VERSION}
    from registry.manifests m
    join content.blobs b on b.digest = m.digest
    left join registry.namespace_policies n on n.tenant = m.tenant
    ${VERSION_OF}
    where m.tenant = namespace and m.repository = repo and m.digest = wanted and (v.version is not null or p.version is not null);
end $$;`;

/** At most so many versions are looked at for a blob that many have, such as an empty config. */
const READ_BLOB = `
create function registry.read_blob(caller text, namespace text, repo text, wanted text, may_push boolean)
returns table (digest text, size bigint, object_key text, block_checksums bytea, needs_version boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$
declare of_kind text;
begin
  perform set_config('app.tenant', caller, true);
  if ${SHOWS_NOTHING} then return; end if;
  select r.kind into of_kind from registry.repositories r where r.tenant = namespace and r.name = repo;
  if of_kind = 'pack' then
    return query
      select b.digest, b.size, b.object_key, b.block_checksums, true, ${SELECT_VERSION}
      from registry.manifest_blobs e
      join registry.manifests m on m.tenant = e.tenant and m.repository = e.repository and m.digest = e.manifest_digest
      join content.blobs b on b.digest = e.blob_digest
      ${VERSION_OF}
      where e.tenant = namespace and e.repository = repo and e.blob_digest = wanted and (v.version is not null or p.version is not null)
      limit 16;
    if found then return; end if;
  elsif exists (select from registry.manifest_blobs e where e.tenant = namespace and e.repository = repo and e.blob_digest = wanted) then
    return query select b.digest, b.size, b.object_key, b.block_checksums, false, ${NO_VERSION} from content.blobs b where b.digest = wanted;
    return;
  end if;
  if not may_push then return; end if;
  return query
    select b.digest, b.size, b.object_key, b.block_checksums, false, ${NO_VERSION}
    from content.repository_blobs l join content.blobs b on b.digest = l.digest
    where l.tenant = namespace and l.repository = repo and l.digest = wanted;
end $$;`;

/** What several callers ask at a time, each under its own tenant, in one round trip. */
const READ_MANY = `
create function registry.read_manifests(callers text[], namespaces text[], repos text[], tags text[], digests text[], may_push boolean[])
returns table (question integer, media_type text, digest text, size bigint, object_key text, block_checksums bytea, kind text, digest_only boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$ begin
  for i in 1 .. cardinality(callers) loop
    return query select i, m.* from registry.read_manifest(callers[i], namespaces[i], repos[i], tags[i], digests[i], may_push[i]) m;
  end loop;
end $$;
create function registry.read_blobs(callers text[], namespaces text[], repos text[], digests text[], may_push boolean[])
returns table (question integer, digest text, size bigint, object_key text, block_checksums bytea, needs_version boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$ begin
  for i in 1 .. cardinality(callers) loop
    return query select i, b.* from registry.read_blob(callers[i], namespaces[i], repos[i], digests[i], may_push[i]) b;
  end loop;
end $$;
revoke execute on function registry.read_manifest(text, text, text, text, text, boolean),
  registry.read_blob(text, text, text, text, boolean), registry.read_manifests(text[], text[], text[], text[], text[], boolean[]),
  registry.read_blobs(text[], text[], text[], text[], boolean[]) from public;
grant execute on function registry.read_manifest(text, text, text, text, text, boolean),
  registry.read_blob(text, text, text, text, boolean), registry.read_manifests(text[], text[], text[], text[], text[], boolean[]),
  registry.read_blobs(text[], text[], text[], text[], boolean[]) to packs_gateway;`;
