import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a push of a blob asks of the database, each in one round trip: a function sets the tenant for the statement's own transaction, and row-level
 * security holds in it as in any other. Its statements see what was committed before each of them began.
 */
export class UploadCalls1700000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(OPEN);
    await runner.query(HOLD);
    await runner.query(CHANGE);
    await runner.query(LINK);
    await runner.query(READ_SEAL);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** A session need not survive a power cut: nothing is acknowledged by it. So nobody waits for a flush. */
const UNFLUSHED = `
  perform set_config('app.tenant', caller, true);
  perform set_config('synchronous_commit', 'off', true);`;

const OPEN = `
create function gateway.open_upload(caller text, repo text, upload_id text, by_algorithm text, actor text, most integer)
returns boolean language plpgsql set search_path = pg_catalog as $$
begin
  ${UNFLUSHED}
  if (select count(*) from (select from gateway.uploads u where u.tenant = caller limit most) as opened) >= most then return false; end if;
  insert into gateway.uploads (id, tenant, repository, algorithm, started_by) values (upload_id, caller, repo, by_algorithm, actor);
  return true;
end $$;`;

/** No row: there is no such session. */
const HOLD = `
create function gateway.hold_upload(caller text, repo text, upload_id text, owner text, ms integer)
returns table (busy boolean, id text, algorithm text, upload jsonb) language plpgsql set search_path = pg_catalog as $$
begin
  ${UNFLUSHED}
  return query
    update gateway.uploads u set lease_owner = owner, lease_until = now() + ms * interval '1 ms', touched_at = now()
    where u.id = upload_id and u.tenant = caller and u.repository = repo and (u.lease_until is null or u.lease_until <= now())
    returning false, u.id, u.algorithm, u.upload;
  if found then return; end if;
  return query select true, u.id, u.algorithm, null::jsonb from gateway.uploads u
    where u.id = upload_id and u.tenant = caller and u.repository = repo;
end $$;`;

/** By the owner of its lease alone. Without \`ms\` the session is given back; what it has stays unless \`replaces\`. */
const CHANGE = `
create function gateway.change_upload(caller text, repo text, upload_id text, owner text, ms integer, replaces boolean, now_has jsonb)
returns boolean language plpgsql set search_path = pg_catalog as $$
begin
  ${UNFLUSHED}
  update gateway.uploads u set
    lease_owner = case when ms is null then null else u.lease_owner end, lease_until = now() + ms * interval '1 ms', touched_at = now(),
    upload = case when replaces then now_has else u.upload end
  where u.id = upload_id and u.tenant = caller and u.repository = repo and u.lease_owner = owner;
  return found;
end $$;`;

/** The one flush of a push. The seal is held until it has committed. */
const LINK = `
create function gateway.link_blob(caller text, repo text, actor text, of_digest text, of_size bigint, at_key text, checksums bytea, session text)
returns table (sealed boolean, digest text, size bigint, object_key text, block_checksums bytea) language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant', caller, true);
  if registry.hold_seal() then
    return query select true, null::text, null::bigint, null::text, null::bytea;
    return;
  end if;
  insert into content.blobs as b (digest, size, object_key, block_checksums) values (of_digest, of_size, at_key, checksums)
    on conflict on constraint blobs_pkey do nothing;
  insert into content.repository_blobs as r (tenant, repository, digest, uploaded_by) values (caller, repo, of_digest, actor)
    on conflict on constraint repository_blobs_pkey do nothing;
  if session is not null then delete from gateway.uploads u where u.id = session and u.tenant = caller and u.repository = repo; end if;
  return query select false, b.digest, b.size, b.object_key, b.block_checksums from content.blobs b where b.digest = of_digest;
end $$;`;

/** Asked before anything of a body is read. A seal may come at any time after it, so whoever changes something asks again with `hold_seal`. */
const READ_SEAL = `
create function registry.read_seal(caller text)
returns table (sealed boolean, since timestamptz, changed_by text, reason text, unseal_request jsonb)
language plpgsql set search_path = pg_catalog as $$
begin
  perform set_config('app.tenant', caller, true);
  return query select s.sealed, s.since, s.changed_by, s.reason, s.unseal_request from registry.seals s where s.tenant = caller;
end $$;`;

const CALLS = `gateway.open_upload(text, text, text, text, text, integer), gateway.hold_upload(text, text, text, text, integer),
  gateway.change_upload(text, text, text, text, integer, boolean, jsonb), gateway.link_blob(text, text, text, text, bigint, text, bytea, text)`;

const GRANTS = `
revoke execute on function ${CALLS}, registry.read_seal(text) from public;
grant execute on function ${CALLS} to packs_gateway;
grant execute on function registry.read_seal(text) to packs_gateway, packs_mirror, packs_parity;`;
