import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How far what is attested is believed, with its history; and statements that were taken before anybody trusted their signers, which no reader but their
 * own tenant sees. A change of trust or policies notes, by triggers, the tenant whose statements are to be judged again.
 */
export class AttestationStates1700000000025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(COLUMNS);
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
    await runner.query(TRIGGERS);
    await runner.query(GRANTS);
    await runner.query(COVERAGE);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const STATES = `('provisional', 'verified', 'contested')`;

const COLUMNS = `
alter table registry.pack_provenance
  add column state text not null default 'verified' check (state in ${STATES}),
  -- A stable code, or what the approver who contests it gave as reason.
  add column state_reason text,
  -- The epoch it was last judged under; null: the one it was added under.
  add column assessed_epoch bigint;
create index pack_provenance_assessed on registry.pack_provenance (tenant, coalesce(assessed_epoch, trust_epoch));`;

const TABLES = `
create table registry.attestation_states (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  digest text collate "C" not null,
  seq integer not null,
  state text not null check (state in ${STATES}),
  reason text,
  -- Null where a person and no verdict decided.
  verdict_hash text collate "C",
  trust_epoch bigint,
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (tenant, pack_id, version, digest, seq),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
create table registry.provisional_attestations (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  media_type text not null,
  -- As the document says; nobody vouches for it.
  predicate_type text not null,
  reason text,
  verdict_hash text collate "C" not null,
  -- Of the trust and policies it was judged by.
  basis text collate "C" not null,
  added_at timestamptz not null,
  added_by text not null,
  source text,
  primary key (tenant, pack_id, version, digest),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
create table registry.assessments_due (
  tenant text collate "C" primary key,
  -- Rises with each change, so that one that comes while another is worked off is not lost.
  changes bigint not null default 1
);`;

const ROW_SECURITY = `
alter table registry.attestation_states enable row level security;
alter table registry.attestation_states force row level security;
create policy own on registry.attestation_states using (tenant = registry.current_tenant());
alter table registry.provisional_attestations enable row level security;
alter table registry.provisional_attestations force row level security;
create policy own on registry.provisional_attestations using (tenant = registry.current_tenant());
alter table registry.assessments_due enable row level security;
alter table registry.assessments_due force row level security;
create policy own on registry.assessments_due using (tenant = registry.current_tenant());
create policy upkeep on registry.assessments_due for select to packs_publisher using (coalesce(registry.current_tenant(), '') = '');
create policy by_functions on registry.assessments_due to packs_migrate using (true) with check (true);`;

const TRIGGERS = `
create function registry.note_assessment_due() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into registry.assessments_due as due (tenant) values (new.tenant)
  on conflict (tenant) do update set changes = due.changes + 1;
  return null;
end $$;
revoke execute on function registry.note_assessment_due() from public;
create trigger assessments_due_on_trust after update on registry.tenants for each row
  when (old.trust_epoch is distinct from new.trust_epoch) execute function registry.note_assessment_due();
create trigger assessments_due_on_policy after insert on registry.policies for each row execute function registry.note_assessment_due();`;

const GRANTS = `
grant update (state, state_reason, assessed_epoch) on registry.pack_provenance to packs_publisher;
grant select, insert on registry.attestation_states to packs_publisher;
grant select, insert, delete on registry.provisional_attestations to packs_publisher;
grant update (reason, verdict_hash, basis) on registry.provisional_attestations to packs_publisher;
grant select, delete on registry.assessments_due to packs_publisher;
grant select on registry.attestation_states, registry.provisional_attestations to packs_gateway;`;

/** Of two events about one statement the one with the higher number counts; 0 is that it was added. */
const COVERAGE = `
alter table compliance.attestation_coverage
  add column state text not null default 'verified' check (state in ${STATES}),
  add column state_seq integer not null default 0,
  -- The epoch the state was found under; null where a person decided.
  add column state_epoch bigint;
grant update (state, state_seq, state_epoch, added_at, added_by_event) on compliance.attestation_coverage to packs_compliance;`;
