import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every verdict was asked, the history of trust material, and the login that runs verdicts again (docs/adr/0017). */
export class VerdictQuestions1700000000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(QUESTIONS);
    await runner.query(TRUST_EPOCHS);
    await runner.query(EARLIER_EPOCHS);
    await runner.query(USERS_OF_A_BLOB);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const QUESTIONS = `
-- Null: from before questions were kept.
alter table registry.verdicts add column question jsonb;
-- Evidence of an accepted verdict that nothing else holds: signatures that came beside the others and counted for nothing.
create table registry.verdict_evidence (
  tenant text collate "C" not null,
  verdict_hash text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  primary key (tenant, verdict_hash, digest),
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
alter table registry.verdict_evidence enable row level security;
alter table registry.verdict_evidence force row level security;
create policy own on registry.verdict_evidence using (tenant = registry.current_tenant());
-- Verdicts of all tenants are walked through in transactions that are of no tenant.
create policy audit on registry.verdicts for select to packs_auditor using (coalesce(registry.current_tenant(), '') = '');`;

/** By a trigger: no writer can forget it. */
const TRUST_EPOCHS = `
create table registry.trust_epochs (
  tenant text collate "C" not null,
  epoch bigint not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  since timestamptz not null,
  primary key (tenant, epoch)
);
alter table registry.trust_epochs enable row level security;
alter table registry.trust_epochs force row level security;
create policy own on registry.trust_epochs using (tenant = registry.current_tenant());
create policy by_functions on registry.trust_epochs for insert to packs_migrate with check (true);
create function registry.keep_trust_epoch() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into registry.trust_epochs (tenant, epoch, digest, since) values (new.tenant, new.trust_epoch, new.trust_digest, now())
    on conflict do nothing;
  return null;
end $$;
revoke execute on function registry.keep_trust_epoch() from public;
create trigger trust_epochs_on_insert after insert on registry.tenants for each row
  when (new.trust_digest is not null) execute function registry.keep_trust_epoch();
create trigger trust_epochs_on_update after update on registry.tenants for each row
  when (new.trust_digest is not null and (old.trust_epoch, old.trust_digest) is distinct from (new.trust_epoch, new.trust_digest))
  execute function registry.keep_trust_epoch();`;

/** Earlier epochs are in the record of events. The owner sees other tenants' rows only while row-level security is not forced. */
const EARLIER_EPOCHS = `
alter table registry.tenants no force row level security;
alter table registry.outbox no force row level security;
insert into registry.trust_epochs (tenant, epoch, digest, since)
  select o.tenant, (e.data ->> 'epoch')::bigint, b.digest, o.created_at
  from registry.outbox o
  cross join lateral (select convert_from(o.payload, 'UTF8')::jsonb -> 'data' as data) e
  join content.blobs b on b.digest = e.data ->> 'digest'
  where o.subject = 'registry.trust.updated'
  on conflict do nothing;
insert into registry.trust_epochs (tenant, epoch, digest, since)
  select t.tenant, t.trust_epoch, t.trust_digest, now() from registry.tenants t where t.trust_digest is not null
  on conflict do nothing;
alter table registry.tenants force row level security;
alter table registry.outbox force row level security;`;

/** A tenant is told of damage to what its verdicts lean on as of damage to what it has now. */
const USERS_OF_A_BLOB = `
create index trust_epochs_digest on registry.trust_epochs (digest);
create index verdict_evidence_digest on registry.verdict_evidence (digest);
create policy users_of_a_blob on registry.trust_epochs for select to packs_migrate using (true);
create policy users_of_a_blob on registry.verdict_evidence for select to packs_migrate using (true);
create or replace function content.tenants_with(wanted text) returns setof text language sql stable security definer set search_path = pg_catalog as $$
  select u.tenant from (
    select e.tenant from registry.manifest_blobs e where e.blob_digest = wanted
    union select m.tenant from registry.manifests m where m.digest = wanted
    union select l.tenant from content.repository_blobs l where l.digest = wanted
    union select t.tenant from registry.tenants t where t.trust_digest = wanted
    union select h.tenant from registry.trust_epochs h where h.digest = wanted
    union select v.tenant from registry.verdict_evidence v where v.digest = wanted) u
  order by u.tenant limit 1000;
$$;`;

const GRANTS = `
grant select, insert on registry.verdict_evidence to packs_publisher;
grant usage on schema content, registry to packs_auditor;
grant execute on function registry.current_tenant() to packs_auditor;
grant select on content.blobs, registry.verdicts, registry.policies, registry.pack_versions to packs_auditor;`;
