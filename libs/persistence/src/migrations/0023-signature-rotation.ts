import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Signatures that take the place of others, versions that lose and regain what lets them be served, and the passes that find such versions. */
export class SignatureRotation1700000000023 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(STANDING);
    await runner.query(HISTORY);
    await runner.query(NOTHING_FORGOTTEN);
    await runner.query(PASSES);
    await runner.query(BEGIN_PASSES);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
    await runner.query(LIST_REFERRERS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/**
 * `trust_epoch` is the epoch under which a version was accepted last, and -1 while it is withdrawn: every read compares it with the tenant's. A change of
 * it is a change of the row, which is noted for those who keep answers (0017).
 */
const STANDING = `
alter table registry.pack_versions
  add column withdrawn_at timestamptz,
  -- The epoch whose keys do not accept it.
  add column withdrawn_epoch bigint,
  add column withdrawal_verdict text collate "C",
  add column withdrawal_reasons text[],
  -- How often it was withdrawn or restored.
  add column standing_changes integer not null default 0,
  add constraint withdrawn_is_accepted_by_nobody check ((withdrawn_at is null) = (trust_epoch >= 0)),
  add constraint withdrawn_for_a_reason check (
    (withdrawn_at is null) = (withdrawal_verdict is null) and (withdrawn_at is null) = (withdrawn_epoch is null)
    and (withdrawn_at is null) = (withdrawal_reasons is null)),
  add foreign key (tenant, withdrawal_verdict) references registry.verdicts on delete restrict;`;

const HISTORY = `
create table registry.signature_rotations (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  seq integer not null check (seq > 0),
  rotated_at timestamptz not null,
  rotated_by text not null,
  source text,
  reason text,
  added text[] not null,
  replaced text[] not null,
  verdict_hash text collate "C" not null,
  trust_epoch bigint not null,
  primary key (tenant, pack_id, version, seq),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
-- What was a version's signature once. One that came back is here as often as it was replaced.
create table registry.retired_signatures (
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
  retired_by integer not null,
  primary key (tenant, pack_id, version, digest, retired_by),
  foreign key (tenant, pack_id, version, retired_by) references registry.signature_rotations on delete restrict,
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict
);
create index retired_signatures_manifest on registry.retired_signatures (tenant, pack_id, manifest_digest);`;

/** Who may take a signature away can do so only into the history, in the same transaction. */
const NOTHING_FORGOTTEN = `
create function registry.require_retired_signature() returns trigger language plpgsql set search_path = pg_catalog as $$ begin
  if not exists (select from registry.retired_signatures r where r.tenant = old.tenant and r.pack_id = old.pack_id and r.version = old.version
      and r.digest = old.digest and r.manifest_digest = old.manifest_digest) then
    raise exception 'signature % of % % was not kept in the history', old.digest, old.pack_id, old.version using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create constraint trigger signatures_are_retired after delete on registry.signatures deferrable initially deferred
  for each row execute function registry.require_retired_signature();`;

/** One a tenant at the most: a change of trust while a pass is under way begins it anew. */
const PASSES = `
create table registry.reverifications (
  tenant text collate "C" primary key,
  state text not null check (state in ('queued', 'running', 'completed')),
  cause text not null check (cause in ('trust', 'schedule', 'request')),
  -- The trust epoch when it was asked for.
  epoch bigint not null,
  requested_at timestamptz not null default now(),
  requested_by text not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- The last version it has gone through.
  pack_id text collate "C" not null default '',
  version text collate "C" not null default '',
  examined bigint not null default 0,
  withdrawn bigint not null default 0,
  restored bigint not null default 0,
  -- Of these no verdict could be had.
  failed bigint not null default 0,
  -- How often it was cut short since it last got on.
  attempts integer not null default 0,
  lease_owner text collate "C",
  lease_until timestamptz
);
create index reverifications_waiting on registry.reverifications (requested_at) where state <> 'completed';
create index reverifications_done on registry.reverifications (finished_at) where state = 'completed';`;

/** By a trigger: no change of trust can forget it. */
const BEGIN_PASSES = `
create function registry.queue_reverification(of_tenant text, why text, of_epoch bigint) returns void language sql set search_path = pg_catalog as $$
  insert into registry.reverifications as r (tenant, state, cause, epoch, requested_by) values (of_tenant, 'queued', why, of_epoch, 'system:trust')
  on conflict (tenant) do update set state = 'queued', cause = excluded.cause, epoch = excluded.epoch, requested_at = now(), requested_by = excluded.requested_by,
    started_at = null, finished_at = null, pack_id = '', version = '', examined = 0, withdrawn = 0, restored = 0, failed = 0, attempts = 0,
    lease_owner = null, lease_until = null;
$$;
create function registry.begin_reverification() returns trigger language plpgsql set search_path = pg_catalog as $$ begin
  perform registry.queue_reverification(new.tenant, 'trust', new.trust_epoch);
  return null;
end $$;
create trigger reverification_on_insert after insert on registry.tenants for each row when (new.trust_epoch <> 0)
  execute function registry.begin_reverification();
create trigger reverification_on_update after update on registry.tenants for each row when (old.trust_epoch is distinct from new.trust_epoch)
  execute function registry.begin_reverification();
-- What is attested about a withdrawn version may be what it wanted.
create function registry.reverify_attested() returns trigger language plpgsql set search_path = pg_catalog as $$
declare against bigint;
begin
  select v.withdrawn_epoch into against from registry.pack_versions v
  where v.tenant = new.tenant and v.pack_id = new.pack_id and v.version = new.version and v.withdrawn_at is not null;
  if not found then return null; end if;
  -- A pass that has not come to the version yet will find it.
  insert into registry.reverifications as r (tenant, state, cause, epoch, requested_by) values (new.tenant, 'queued', 'trust', against, 'system:trust')
  on conflict (tenant) do update set state = 'queued', cause = case r.state when 'completed' then 'trust' else r.cause end, requested_at = now(),
    started_at = null, finished_at = null, pack_id = '', version = '', examined = 0, withdrawn = 0, restored = 0, failed = 0, attempts = 0,
    lease_owner = null, lease_until = null
    where r.state = 'completed' or (r.pack_id, r.version) >= (new.pack_id, new.version);
  return null;
end $$;
create trigger reverification_on_insert after insert on registry.pack_provenance for each row execute function registry.reverify_attested();
alter table registry.tenants no force row level security;
insert into registry.reverifications (tenant, state, cause, epoch, requested_by)
  select tenant, 'queued', 'trust', trust_epoch, 'system:trust' from registry.tenants where trust_epoch <> 0;
alter table registry.tenants force row level security;`;

const ROW_SECURITY = `
alter table registry.signature_rotations enable row level security;
alter table registry.signature_rotations force row level security;
create policy own on registry.signature_rotations using (tenant = registry.current_tenant());
create policy visible on registry.signature_rotations for select using (tenant is distinct from registry.current_tenant() and exists (
  select 1 from registry.pack_versions v
  where v.tenant = signature_rotations.tenant and v.pack_id = signature_rotations.pack_id and v.version = signature_rotations.version));

alter table registry.retired_signatures enable row level security;
alter table registry.retired_signatures force row level security;
create policy own on registry.retired_signatures using (tenant = registry.current_tenant());
create policy visible on registry.retired_signatures for select using (tenant is distinct from registry.current_tenant() and exists (
  select 1 from registry.pack_versions v
  where v.tenant = retired_signatures.tenant and v.pack_id = retired_signatures.pack_id and v.version = retired_signatures.version));

alter table registry.reverifications enable row level security;
alter table registry.reverifications force row level security;
create policy own on registry.reverifications using (tenant = registry.current_tenant());
create policy queue on registry.reverifications to packs_publisher using (coalesce(registry.current_tenant(), '') = '');`;

const GRANTS = `
grant update (trust_epoch, withdrawn_at, withdrawn_epoch, withdrawal_verdict, withdrawal_reasons, standing_changes)
  on registry.pack_versions to packs_publisher;
grant delete on registry.signatures to packs_publisher;
grant select, insert on registry.signature_rotations, registry.retired_signatures, registry.reverifications to packs_publisher;
grant update (state, cause, epoch, requested_at, requested_by, started_at, finished_at, pack_id, version, examined, withdrawn, restored, failed, attempts,
  lease_owner, lease_until) on registry.reverifications to packs_publisher;
grant select on registry.signature_rotations, registry.retired_signatures to packs_gateway, packs_mirror;
grant select on registry.reverifications to packs_gateway;`;

/** As before, without the referrers of signatures that others have replaced. By their digests those can be read as before. */
const LIST_REFERRERS = `
create or replace function registry.list_referrers(caller text, namespace text, repo text, of_subject text, after text, of_type text, most integer,
  may_push boolean) returns json
language plpgsql set search_path = pg_catalog as $$
declare found_all json;
begin
  perform set_config('app.tenant', caller, true);
  if caller is distinct from namespace
    and not (registry.shows_version_of(namespace, repo) or registry.is_public(namespace)) then return null; end if;
  if not may_push and exists (select from registry.pending_versions p
    where p.tenant = namespace and p.pack_id = repo and p.manifest_digest = of_subject) then return null; end if;
  select json_agg(json_build_array(d.digest, d.media_type, d.size, d.artifact_type, d.annotations)) into found_all from (
    -- Its size one by one, of those on the page alone.
    select m.digest, m.media_type, (select b.size from content.blobs b where b.digest = m.digest) as size, m.artifact_type, m.annotations
    from registry.manifests m
    where m.tenant = namespace and m.repository = repo and m.subject = of_subject and m.digest > after
      and (of_type is null or m.artifact_type = of_type)
      and not exists (select from registry.retired_signatures r where r.tenant = namespace and r.pack_id = repo and r.manifest_digest = m.digest
        and not exists (select from registry.signatures s where s.tenant = namespace and s.pack_id = repo and s.manifest_digest = m.digest))
    order by m.digest limit most) d;
  return found_all;
end $$;`;
