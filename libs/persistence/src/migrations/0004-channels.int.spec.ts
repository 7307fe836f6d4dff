import { DataSource, type MigrationInterface } from 'typeorm';
import { SpecDatabase } from '../persistence.fixture';
import { PostgresChannelReadModel } from '../reading/channel-read-model';
import { Registry1700000000001 } from './0001-registry';
import { Compliance1700000000002 } from './0002-compliance';
import { Workers1700000000003 } from './0003-workers';
import { Channels1700000000004 } from './0004-channels';

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Two packs as the registry knew them before channels had a history; one was published to a channel of its own. */
const BEFORE = `
insert into content.blobs values ('${DIGEST}', 1, 'key', '');
insert into registry.packs (tenant, pack_id, type) values ('acme', 'one', 'task'), ('globex', 'two', 'task');
insert into registry.manifests (tenant, pack_id, digest, media_type, artifact_type)
  values ('acme', 'one', '${DIGEST}', 'm', 'a'), ('globex', 'two', '${DIGEST}', 'm', 'a');
insert into registry.verdicts (tenant, hash, document) values ('acme', 'verdict', '{}'), ('globex', 'verdict', '{}');
insert into registry.pack_versions (tenant, pack_id, version, version_core, sort_key, prerelease, name, manifest_digest, bundle_digest,
  bundle_size, config_digest, config, tags, tenant_visibility, channel, verdict_hash, trust_epoch, published_at, published_by)
  select t, p, v, v, v, false, 'n', '${DIGEST}', '${DIGEST}', 1, '${DIGEST}', '{}', '{}', '{}', c, 'verdict', 0, at::timestamptz, 'alice'
  from (values ('acme', 'one', '1.0.0', 'edge', '2026-01-01'), ('acme', 'one', '1.1.0', 'nightly', '2026-01-02'),
    ('acme', 'one', '1.2.0', 'nightly', '2026-01-03'), ('globex', 'two', '1.0.0', 'stable', '2026-01-01')) as r (t, p, v, c, at);
insert into registry.channel_heads (tenant, pack_id, channel, version, moved_at, moved_by) values
  ('acme', 'one', 'nightly', '1.2.0', '2026-01-03', 'alice'), ('acme', 'one', 'edge', '1.0.0', '2026-01-01', 'alice'),
  ('globex', 'two', 'stable', '1.0.0', '2026-01-01', 'alice');`;

describe('the migration to channels with a history', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open('blank');
  });
  afterAll(() => db.close());

  it('begins each history with the head that was there, and keeps channels that were published to', async () => {
    const admin = await db.client();
    await admin.query(`grant create on database ${db.database.name} to packs_migrate`);
    await admin.query(`grant connect on database ${db.database.name} to packs_gateway`);
    const options = { extra: { options: '-c role=packs_migrate' } };
    const owner = await new DataSource({ type: 'postgres', url: db.database.adminUrl, poolSize: 1, ...options }).initialize();
    const runner = owner.createQueryRunner();
    const apply = async (...migrations: readonly MigrationInterface[]) => {
      for (const migration of migrations) await migration.up(runner);
    };
    try {
      await apply(new Registry1700000000001(), new Compliance1700000000002(), new Workers1700000000003());
      await admin.query(BEFORE);
      await apply(new Channels1700000000004());
    } finally {
      await runner.release();
      await owner.destroy();
    }
    const reads = new PostgresChannelReadModel(await db.as('api-gateway'));
    const told = async (tenant: string, packId: string) =>
      (await reads.ofPack({ tenant, namespace: tenant }, packId, { limit: 9 }))?.moves.map(
        move => `${move.seq} ${move.channel} ${move.fromVersion} ${move.toVersion} ${move.reason} ${move.verdict}`,
      );
    expect(await told('acme', 'one')).toEqual(['2 nightly null 1.2.0 publish verdict', '1 edge null 1.0.0 publish verdict']);
    expect(await told('globex', 'two')).toEqual(['1 stable null 1.0.0 publish verdict']);
    expect((await reads.channels('acme')).filter(({ builtIn }) => !builtIn)).toMatchObject([
      { name: 'nightly', createdAt: '2026-01-02T00:00:00.000Z', createdBy: 'alice' },
    ]);
    const { rows } = await admin.query<{ forced: boolean }>(
      `select relforcerowsecurity as forced from pg_class where relname in ('channels', 'channel_moves', 'channel_heads', 'pack_versions')`,
    );
    expect(rows.map(({ forced }) => forced)).toEqual([true, true, true, true]);
  });
});
