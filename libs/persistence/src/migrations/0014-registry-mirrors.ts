import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mirrors in OCI registries; who compares them asks for the seal before it connects. */
export class RegistryMirrors1700000000014 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `alter table mirror.mirrors drop constraint mirrors_kind_check,
         add constraint mirrors_kind_check check (kind in ('oci-layout', 'directory', 'registry'))`,
    );
    await runner.query('grant select on registry.seals to packs_parity');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
