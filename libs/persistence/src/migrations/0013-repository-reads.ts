import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The reads of the OCI door, each one statement: a function sets the caller's tenant for its transaction and then reads under row-level security. */
export class RepositoryReads1700000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(INDEXES);
    await runner.query(READ_MANIFEST);
    await runner.query(READ_BLOB);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const INDEXES = `
create index manifest_blobs_of_repository on registry.manifest_blobs (tenant, repository, blob_digest);
create index manifests_referrers on registry.manifests (tenant, repository, subject, digest) where subject is not null;`;

/** What the version that a manifest is, or belongs to, says of it; for those who may push also one that waits for signatures. */
const VERSION_OF = `
    left join lateral (
      select v.pack_id, v.version, v.trust_epoch, v.deprecated_at, v.deprecation_reason, v.replacement from registry.pack_versions v
      where r.kind = 'pack' and v.tenant = m.tenant and v.pack_id = m.repository
        and v.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) v on true
    left join lateral (
      select p.pack_id, p.version from registry.pending_versions p
      where may_push and r.kind = 'pack' and v.version is null and p.tenant = m.tenant and p.pack_id = m.repository
        and p.manifest_digest = any(array[m.digest, m.subject, m.tagged_subject]) limit 1) p on true
    left join registry.tenants t on r.kind = 'pack' and t.tenant = m.tenant`;

const VERSION_COLUMNS = `
  pack_id text, version text, pending boolean, verified_epoch bigint, current_epoch bigint, deprecated boolean, deprecation_reason text, replacement text`;

const SELECT_VERSION = `
      coalesce(v.pack_id, p.pack_id), coalesce(v.version, p.version), v.version is null, v.trust_epoch, coalesce(t.trust_epoch, 0),
      v.deprecated_at is not null, v.deprecation_reason, v.replacement`;

const READ_MANIFEST = `
create function registry.read_manifest(caller text, namespace text, repo text, by_tag text, by_digest text, may_push boolean)
returns table (media_type text, digest text, size bigint, object_key text, block_checksums bytea, kind text, digest_only boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$
declare wanted text := by_digest;
begin
  perform set_config('app.tenant', caller, true);
  if wanted is null then
    select g.manifest_digest into wanted from registry.tags g where g.tenant = namespace and g.repository = repo and g.tag = by_tag;
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
    select m.media_type, b.digest, b.size, b.object_key, b.block_checksums, r.kind, coalesce(n.pull_by_digest_only, false), ${SELECT_VERSION}
    from registry.manifests m
    join registry.repositories r on r.tenant = m.tenant and r.name = m.repository
    join content.blobs b on b.digest = m.digest
    left join registry.namespace_policies n on n.tenant = m.tenant
    ${VERSION_OF}
    where m.tenant = namespace and m.repository = repo and m.digest = wanted and (r.kind = 'generic' or v.version is not null or p.version is not null);
end $$;`;

/** At most so many versions are looked at for a blob that many have, such as an empty config. */
const READ_BLOB = `
create function registry.read_blob(caller text, namespace text, repo text, wanted text, may_push boolean)
returns table (digest text, size bigint, object_key text, block_checksums bytea, needs_version boolean,
  ${VERSION_COLUMNS}) language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant', caller, true);
  return query
    select b.digest, b.size, b.object_key, b.block_checksums, r.kind = 'pack', ${SELECT_VERSION}
    from registry.manifest_blobs e
    join registry.manifests m on m.tenant = e.tenant and m.repository = e.repository and m.digest = e.manifest_digest
    join registry.repositories r on r.tenant = m.tenant and r.name = m.repository
    join content.blobs b on b.digest = e.blob_digest
    ${VERSION_OF}
    where e.tenant = namespace and e.repository = repo and e.blob_digest = wanted and (r.kind = 'generic' or v.version is not null or p.version is not null)
    limit 16;
  if found or not may_push then return; end if;
  return query
    select b.digest, b.size, b.object_key, b.block_checksums, false, null::text, null::text, null::boolean, null::bigint, null::bigint,
      null::boolean, null::text, null::text
    from content.repository_blobs l join content.blobs b on b.digest = l.digest
    where l.tenant = namespace and l.repository = repo and l.digest = wanted;
end $$;`;

const GRANTS = `
revoke execute on function registry.read_manifest(text, text, text, text, text, boolean), registry.read_blob(text, text, text, text, boolean) from public;
grant execute on function registry.read_manifest(text, text, text, text, text, boolean), registry.read_blob(text, text, text, text, boolean)
  to packs_gateway;`;
