import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is attested about versions. Each row stands for one stored document whose signature and statement were verified. */
export class Attestations1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create table registry.pack_provenance (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  version text collate "C" not null,
  digest text collate "C" not null references content.blobs on delete restrict,
  media_type text not null,
  -- The referrer that carries it.
  manifest_digest text collate "C" not null,
  predicate_type text not null,
  -- [{name, keyId, scheme}]: whose signatures were valid when it was added.
  signers jsonb not null,
  verdict_hash text collate "C" not null,
  -- What the verdict leaned on: under another epoch it is verified again before anybody gets it.
  trust_epoch bigint not null,
  policy_name text collate "C" not null,
  policy_version integer not null,
  added_at timestamptz not null,
  added_by text not null,
  source text,
  primary key (tenant, pack_id, version, digest),
  foreign key (tenant, pack_id, version) references registry.pack_versions on delete restrict,
  foreign key (tenant, pack_id, manifest_digest) references registry.manifests on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict,
  foreign key (tenant, policy_name, policy_version) references registry.policies on delete restrict
);`;

const ROW_SECURITY = `
alter table registry.pack_provenance enable row level security;
alter table registry.pack_provenance force row level security;
create policy own on registry.pack_provenance using (tenant = registry.current_tenant());
create policy visible on registry.pack_provenance for select using (exists (
  select 1 from registry.pack_versions v
  where v.tenant = pack_provenance.tenant and v.pack_id = pack_provenance.pack_id and v.version = pack_provenance.version));`;

const GRANTS = `
grant select, insert on registry.pack_provenance to packs_publisher;
grant select on registry.pack_provenance to packs_gateway, packs_mirror, packs_parity;`;
