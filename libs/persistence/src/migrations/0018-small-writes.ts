import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Records of small content, several pushes in one round trip and one commit. A function sets the tenant for its own transaction, under row-level security.
 *
 * Every statement here looks up or adds rows by key. So its plan is made once a connection and never by a scan: statistics of a table that has just
 * begun to grow would have them read it whole, and the checks of foreign keys as well, whose plans are made when they are first needed.
 */
export class SmallWrites1700000000018 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(RECORD);
    await runner.query(PUT_MANIFESTS);
    await runner.query(BEGIN_UPLOAD);
    await runner.query(LINK_BLOBS);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const BY_KEY = `language plpgsql set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off`;

/** In digest order, so that two writers of the same digests wait for each other instead of deadlocking. The earlier record of a digest stays. */
const RECORD = `
create function content.record_blobs(digests text[], sizes bigint[], keys text[], checksums bytea[])
returns table (digest text, size bigint, object_key text, block_checksums bytea) ${BY_KEY} as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into content.blobs (digest, size, object_key, block_checksums)
    select distinct on (t.d) t.d, t.s, t.k, t.c from unnest(digests, sizes, keys, checksums) as t(d, s, k, c) order by t.d
    on conflict (digest) do nothing;
  return query select b.digest, b.size, b.object_key, b.block_checksums from content.blobs b where b.digest = any(digests);
end $$;`;

/**
 * Manifests of one tenant, each with its own outcome: a push that is refused changes nothing for those beside it. \`kind\` is that of the repository,
 * null where a first manifest was refused; what is \`missing\` was refused. Nothing is recorded over bytes in quarantine: \`at_key\` then tells of it.
 * Repositories, manifests and tags are taken in one order by all.
 */
const PUT_MANIFESTS = `
create function registry.put_manifests(caller text, pushes jsonb)
returns table (push integer, sealed boolean, kind text, missing text[], of_size bigint, at_key text)
${BY_KEY} as $$
#variable_conflict use_column
declare
  p record;
  d text;
  held record;
  is_whole boolean;
  of_kind text;
  lacks text[];
  edges text[];
  accepted integer[] := '{}';
begin
  perform set_config('app.tenant', caller, true);
  if registry.hold_seal() then
    return query select x.push, true, null::text, '{}'::text[], null::bigint, null::text from jsonb_to_recordset(pushes) as x(push integer);
    return;
  end if;
  insert into content.blobs (digest, size, object_key, block_checksums)
    select distinct on (x.digest) x.digest, x.size, x.object_key, decode(x.checksums, 'base64')
    from jsonb_to_recordset(pushes) as x(digest text, size bigint, object_key text, checksums text) order by x.digest
    on conflict (digest) do nothing;
  for p in
    select * from jsonb_to_recordset(pushes) as x(push integer, repository text, digest text, media_type text, artifact_type text, subject text,
      annotations jsonb, blobs text[], foreign_blobs text[], children text[]) order by x.repository, x.digest
  loop
    select b.size, b.object_key into held from content.blobs b where b.digest = p.digest;
    if not found then raise foreign_key_violation using message = 'the record of a manifest was taken away meanwhile'; end if;
    is_whole := not starts_with(held.object_key, 'quarantined/');
    lacks := '{}';
    edges := p.blobs;
    foreach d in array p.blobs loop
      if not (exists (select from content.repository_blobs r where r.tenant = caller and r.repository = p.repository and r.digest = d)
        or exists (select from registry.manifest_blobs e where e.tenant = caller and e.repository = p.repository and e.blob_digest = d))
      then lacks := lacks || d; end if;
    end loop;
    foreach d in array p.foreign_blobs loop
      if exists (select from content.repository_blobs r where r.tenant = caller and r.repository = p.repository and r.digest = d)
        or exists (select from registry.manifest_blobs e where e.tenant = caller and e.repository = p.repository and e.blob_digest = d)
      then edges := edges || d; end if;
    end loop;
    foreach d in array p.children loop
      if not exists (select from registry.manifests m where m.tenant = caller and m.repository = p.repository and m.digest = d)
      then lacks := lacks || d; end if;
    end loop;
    select r.kind into of_kind from registry.repositories r where r.tenant = caller and r.name = p.repository;
    if not found and lacks = '{}' and is_whole then
      insert into registry.repositories (tenant, name, kind) values (caller, p.repository, 'generic') on conflict do nothing;
      -- Another may have been faster, with a pack.
      select r.kind into of_kind from registry.repositories r where r.tenant = caller and r.name = p.repository;
    end if;
    if of_kind = 'generic' and lacks = '{}' and is_whole then
      accepted := accepted || p.push;
      insert into registry.manifests (tenant, repository, digest, media_type, artifact_type, subject, annotations)
        values (caller, p.repository, p.digest, p.media_type, p.artifact_type, p.subject, p.annotations) on conflict do nothing;
      insert into registry.manifest_blobs (tenant, repository, manifest_digest, blob_digest)
        select caller, p.repository, p.digest, t.d from unnest(edges) as t(d) on conflict do nothing;
    end if;
    return query select p.push, false, of_kind, lacks, held.size, held.object_key;
  end loop;
  insert into registry.tags (tenant, repository, tag, manifest_digest, updated_at, updated_by)
    select distinct on (x.repository, t.tag) caller, x.repository, t.tag, x.digest, x.at, x.actor
    from jsonb_to_recordset(pushes) as x(push integer, repository text, digest text, tags text[], at timestamptz, actor text)
    cross join unnest(x.tags) as t(tag) where x.push = any(accepted) order by x.repository, t.tag, x.push desc
    on conflict (tenant, repository, tag) do update
      set manifest_digest = excluded.manifest_digest, updated_at = excluded.updated_at, updated_by = excluded.updated_by;
end $$;`;

/** A session need not survive a power cut: nothing is acknowledged by it. So nobody waits for a flush. */
const BEGIN_UPLOAD = `
create function gateway.begin_upload(caller text, repo text, upload_id text, by_algorithm text, actor text, most integer)
returns text ${BY_KEY} as $$
begin
  perform set_config('app.tenant', caller, true);
  perform set_config('synchronous_commit', 'off', true);
  if registry.hold_seal() then return 'sealed'; end if;
  if (select count(*) from (select from gateway.uploads u where u.tenant = caller limit most) as opened) >= most then return 'full'; end if;
  insert into gateway.uploads (id, tenant, repository, algorithm, started_by) values (upload_id, caller, repo, by_algorithm, actor);
  return 'begun';
end $$;`;

/**
 * Proven blobs become a tenant's repositories', and the sessions they came by end, each with its own outcome. Of a blob that came whole the session must
 * have no bytes and no writer: its answer is then \`unknown\` or \`begun\`, and nothing is recorded. The seal is held until all of it has committed.
 */
const LINK_BLOBS = `
create function gateway.link_blobs(caller text, links jsonb)
returns table (link integer, outcome text, digest text, size bigint, object_key text, block_checksums bytea) ${BY_KEY} as $$
#variable_conflict use_column
declare
  one record;
  refused jsonb := '{}';
begin
  perform set_config('app.tenant', caller, true);
  if registry.hold_seal() then
    return query select x.link, 'sealed', null::text, null::bigint, null::text, null::bytea from jsonb_to_recordset(links) as x(link integer);
    return;
  end if;
  for one in
    select * from jsonb_to_recordset(links) as x(link integer, repository text, session text, whole boolean) where x.whole order by x.session
  loop
    if exists (select from gateway.uploads u where u.id = one.session and u.tenant = caller and u.repository = one.repository
      and u.upload is null and (u.lease_until is null or u.lease_until <= now()) for update)
    then continue; end if;
    refused := refused || jsonb_build_object(one.link::text,
      case when exists (select from gateway.uploads u where u.id = one.session and u.tenant = caller and u.repository = one.repository)
        then 'begun' else 'unknown' end);
  end loop;
  insert into content.blobs (digest, size, object_key, block_checksums)
    select distinct on (x.digest) x.digest, x.size, x.object_key, decode(x.checksums, 'base64')
    from jsonb_to_recordset(links) as x(link integer, digest text, size bigint, object_key text, checksums text)
    where not refused ? x.link::text order by x.digest
    on conflict (digest) do nothing;
  insert into content.repository_blobs (tenant, repository, digest, uploaded_by)
    select distinct on (x.repository, x.digest) caller, x.repository, x.digest, x.actor
    from jsonb_to_recordset(links) as x(link integer, repository text, digest text, actor text)
    where not refused ? x.link::text order by x.repository, x.digest
    on conflict (tenant, repository, digest) do nothing;
  for one in
    select * from jsonb_to_recordset(links) as x(link integer, repository text, session text)
    where x.session is not null and not refused ? x.link::text order by x.session
  loop
    delete from gateway.uploads u where u.id = one.session and u.tenant = caller and u.repository = one.repository;
  end loop;
  return query
    select x.link, coalesce(refused ->> x.link::text, 'linked'), b.digest, b.size, b.object_key, b.block_checksums
    from jsonb_to_recordset(links) as x(link integer, digest text) left join content.blobs b on b.digest = x.digest;
end $$;`;

const CALLS = `content.record_blobs(text[], bigint[], text[], bytea[]), registry.put_manifests(text, jsonb),
  gateway.begin_upload(text, text, text, text, text, integer), gateway.link_blobs(text, jsonb)`;

const GRANTS = `
revoke execute on function ${CALLS} from public;
grant execute on function content.record_blobs(text[], bigint[], text[], bytea[]) to packs_gateway, packs_publisher, packs_mirror;
grant execute on function registry.put_manifests(text, jsonb) to packs_publisher;
grant execute on function gateway.begin_upload(text, text, text, text, text, integer), gateway.link_blobs(text, jsonb) to packs_gateway;`;
