import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mirrors that bring content in from a registry. */
export class PullingMirrors1700000000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PULL);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** Several may pull from one place: nothing is written there. */
const PULL = `
alter table mirror.mirrors add column pull jsonb, drop constraint mirrors_tenant_location_key,
  add constraint mirrors_pull_from_registry check (pull is null or kind = 'registry');
create unique index mirrors_location on mirror.mirrors (tenant, location) where pull is null;`;

/** What comes in is put into its repository as an upload is, and compared with what is there. */
const GRANTS = `
grant update (pull) on mirror.mirrors to packs_mirror;
grant select, insert on content.repository_blobs to packs_mirror;
grant select on registry.tags, registry.pending_versions to packs_mirror;`;
