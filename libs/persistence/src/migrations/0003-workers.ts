import type { MigrationInterface, QueryRunner } from 'typeorm';
import { processTables } from './process-tables';

/** Schemas of the two workers, what they may read of the registry, and the record of events for replays. */
export class Workers1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create schema mirror; create schema parity;
      grant usage on schema mirror to packs_mirror, packs_parity, packs_gateway;
      grant usage on schema parity to packs_parity, packs_gateway;`);
    await runner.query(processTables('mirror', 'packs_mirror', { emits: true }));
    await runner.query(processTables('parity', 'packs_parity', { emits: true }));
    await runner.query(READS);
    for (const schema of ['registry', 'mirror', 'parity']) await runner.query(record(schema));
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const READS = `
grant usage on schema registry, content to packs_mirror, packs_parity;
grant select, insert on content.blobs to packs_mirror;
grant select on content.blobs to packs_parity;
grant select on registry.packs, registry.pack_versions, registry.verdicts, registry.signatures, registry.channel_heads, registry.tenants,
  registry.manifests, registry.manifest_blobs, registry.policies to packs_mirror, packs_parity;
grant execute on function registry.current_tenant() to packs_mirror, packs_parity;
grant usage on schema registry to packs_compliance;
grant usage on schema mirror, parity to packs_compliance;`;

/** An outbox is the permanent record: consumers read it to run again from any point. */
function record(schema: string): string {
  return `
grant usage on schema ${schema} to packs_compliance, packs_mirror, packs_parity;
grant select on ${schema}.outbox to packs_compliance, packs_mirror, packs_parity;
create policy replay_reads on ${schema}.outbox for select to packs_compliance, packs_mirror, packs_parity using (true);`;
}
