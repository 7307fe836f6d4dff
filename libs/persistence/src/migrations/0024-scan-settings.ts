import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each tenant has its packs scanned for (docs/adr/0020). */
export class ScanSettings1700000000024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SETTINGS);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** No row: what a tenant has that chose nothing. It decides no read: what was published is not scanned again. */
const SETTINGS = `
create table registry.scan_settings (
  tenant text collate "C" primary key,
  secrets text not null check (secrets in ('off', 'on', 'required')),
  malware text not null check (malware in ('off', 'on', 'required')),
  updated_at timestamptz not null,
  updated_by text not null
);
alter table registry.scan_settings enable row level security;
alter table registry.scan_settings force row level security;
create policy own on registry.scan_settings using (tenant = registry.current_tenant());`;

/** Scanners' reports are evidence of their verdicts; the gateway shows them to the tenant. */
const GRANTS = `
grant select, insert on registry.scan_settings to packs_publisher;
grant update (secrets, malware, updated_at, updated_by) on registry.scan_settings to packs_publisher;
grant select (tenant, secrets, malware) on registry.scan_settings to packs_gateway;
grant select on registry.verdict_evidence to packs_gateway;`;
