import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Manifests of generic content recorded for the process that received them, and statements of writes that look up by key whatever the size of a table.
 */
export class PlainManifests1700000000026 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PUT_GENERIC);
    await runner.query(READ_BLOBS);
    await runner.query(GRANTS);
    for (const name of BY_KEY) await runner.query(`alter function ${name} set enable_hashjoin = off`);
    for (const name of BY_KEY) await runner.query(`alter function ${name} set enable_mergejoin = off`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/**
 * As \`registry.put_manifests\`, for a caller who may not write to \`registry\` himself: only what the rules of generic content allow comes about by it. A
 * repository of packs takes nothing this way, and no repository a manifest that is said to be a pack's or to have a part of one. What it writes is held to the
 * tenant by row-level security; each look-up names the tenant itself.
 */
const PUT_GENERIC = `
create function registry.put_generic(caller text, pushes jsonb)
returns table (push integer, sealed boolean, kind text, missing text[], of_size bigint, at_key text)
language plpgsql security definer set search_path = pg_catalog as $$
begin
  if exists (select from jsonb_to_recordset(pushes) as x(artifact_type text, parts text[])
    where 'application/vnd.stellaops.pack.v1' = x.artifact_type or x.parts is null or x.parts && array[
      'application/vnd.stellaops.pack.v1', 'application/vnd.stellaops.pack.config.v1+json', 'application/vnd.stellaops.pack.bundle.v1.tar+gzip'])
  then raise check_violation using message = 'a pack is no generic content'; end if;
  return query select * from registry.put_manifests(caller, pushes);
end $$;`;

/**
 * As before, for less where a blob is not there, which nobody keeps an answer of: what \`registry.read_blob\` finds is always on a manifest of the repository or
 * linked to it. Only of the caller's own: what others have must not be looked for before it is known to be shown.
 */
const READ_BLOBS = `
create or replace function registry.read_blobs(callers text[], namespaces text[], repos text[], digests text[], may_push boolean[])
returns table (question integer, digest text, size bigint, object_key text, block_checksums bytea, needs_version boolean,
  pack_id text, version text, pending boolean, verified_epoch bigint, current_epoch bigint, deprecated boolean, deprecation_reason text, replacement text)
language plpgsql set search_path = pg_catalog as $$ begin
  for i in 1 .. cardinality(callers) loop
    if i = 1 or callers[i] <> callers[i - 1] then perform set_config('app.tenant', callers[i], true); end if;
    if callers[i] = namespaces[i] then
      continue when not exists (
          select from registry.manifest_blobs e where e.tenant = namespaces[i] and e.repository = repos[i] and e.blob_digest = digests[i])
        and not (may_push[i] and exists (
          select from content.repository_blobs l where l.tenant = namespaces[i] and l.repository = repos[i] and l.digest = digests[i]));
    end if;
    return query select i, b.* from registry.read_blob(callers[i], namespaces[i], repos[i], digests[i], may_push[i]) b;
  end loop;
end $$;`;

const GRANTS = `
revoke execute on function registry.put_generic(text, jsonb) from public;
grant execute on function registry.put_generic(text, jsonb) to packs_publisher, packs_gateway;`;

/** A join of what was asked for with a table reads the table whole where it is hashed or sorted, also where no sequential scan is allowed: then by its index. */
const BY_KEY = [
  'content.record_blobs(text[], bigint[], text[], bytea[])',
  'registry.put_manifests(text, jsonb)',
  'gateway.begin_upload(text, text, text, text, text, integer)',
  'gateway.link_blobs(text, jsonb)',
];
