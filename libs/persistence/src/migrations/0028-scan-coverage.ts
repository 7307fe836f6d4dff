import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What scanners said of a version when it was published, in the coverage of its tenant. */
export class ScanCoverage1700000000028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(STATES);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const STATES = `
alter table compliance.version_coverage drop constraint version_coverage_scan_state_check,
  add constraint version_coverage_scan_state_check check (scan_state in ('scanned', 'partly-scanned', 'not-scanned'));
grant update (scan_state) on compliance.version_coverage to packs_compliance;`;
