import type { Client } from 'pg';
import { publish, setUpTrust, SpecDatabase, unitOfWorkOn } from './persistence.fixture';
import { PostgresChannelReadModel } from './reading/channel-read-model';
import { PostgresPackReadModel } from './reading/pack-read-model';
import { readAs } from './transaction';

const AT = '2026-01-17T08:00:00.000Z';
const OWN = { tenant: 'acme', namespace: 'acme' };
const page = { limit: 50 };

type DataSource = Awaited<ReturnType<SpecDatabase['as']>>;

describe('channels', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let gateway: DataSource;
  let reads: PostgresChannelReadModel;
  let packs: PostgresPackReadModel;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    gateway = await db.as('api-gateway');
    reads = new PostgresChannelReadModel(gateway);
    packs = new PostgresPackReadModel(gateway);
    await setUpTrust(publisher, 'acme');
  });
  afterAll(() => db.close());

  const put = (tenant: string, name: string) =>
    unitOfWorkOn(publisher).run(tenant, tx =>
      tx.channels.put(tenant, { name, description: `${name} of ${tenant}`, createdAt: AT, createdBy: 'alice' }),
    );
  const move = (packId: string, channel: string, version: string, verdictHash: string) =>
    unitOfWorkOn(publisher).run('acme', async tx => {
      await tx.packs.lockPack('acme', packId, 'task');
      const { moved } = await tx.channels.move({
        ...{ tenant: 'acme', packId, channel, version, at: AT, actor: 'alice', reason: 'promotion' },
        verdictHash: verdictHash as never,
      });
      return moved;
    });
  const archive = (packId: string, version: string) =>
    unitOfWorkOn(publisher).run('acme', tx =>
      tx.packs.archive('acme', packId, version, { at: AT, actor: 'alice', reason: 'old', replacement: null }),
    );
  const deprecate = (packId: string, version: string) =>
    unitOfWorkOn(publisher).run('acme', tx =>
      tx.packs.deprecate('acme', packId, version, { at: AT, actor: 'alice', reason: 'older', replacement: 'acme.new' }),
    );

  it('are those every tenant has and the tenant’s own, by name', async () => {
    await put('acme', 'nightly');
    await put('acme', 'canary');
    await put('globex', 'weekly');
    const names = async (tenant: string) => (await reads.channels(tenant)).map(({ name, builtIn }) => `${name}${builtIn ? '' : '*'}`);
    expect(await names('acme')).toEqual(['edge', 'beta', 'stable', 'lts', 'canary*', 'nightly*']);
    expect(await names('globex')).toEqual(['edge', 'beta', 'stable', 'lts', 'weekly*']);
    expect(await names('initech')).toEqual(['edge', 'beta', 'stable', 'lts']);
    expect((await reads.channels('acme')).at(-1)).toEqual({
      ...{ name: 'nightly', description: 'nightly of acme', builtIn: false },
      ...{ createdAt: AT, createdBy: 'alice' },
    });
    await expect(put('acme', 'stable')).rejects.toMatchObject({ code: '23514' });
  });

  it('of a pack come with their moves, newest first, page by page', async () => {
    const packId = 'acme.moved';
    const hashes: Record<string, string> = {};
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      hashes[version] = (await publish(publisher, { packId, version })).version.verdictHash;
      expect(await move(packId, 'stable', version, hashes[version])).toBe(true);
    }
    expect(await move(packId, 'stable', '1.2.0', hashes['1.2.0'] ?? '')).toBe(false);
    expect(await move(packId, 'stable', '1.1.0', hashes['1.1.0'] ?? '')).toBe(false);
    const all = await reads.ofPack(OWN, packId, page);
    expect(all?.channels).toMatchObject([
      { channel: 'edge', version: '1.2.0' },
      { channel: 'stable', version: '1.2.0', movedAt: AT, movedBy: 'alice' },
    ]);
    expect(all?.moves.map(one => `${one.seq} ${one.channel} ${one.fromVersion} ${one.toVersion} ${one.reason}`)).toEqual([
      '6 stable 1.1.0 1.2.0 promotion',
      '5 edge 1.1.0 1.2.0 publish',
      '4 stable 1.0.0 1.1.0 promotion',
      '3 edge 1.0.0 1.1.0 publish',
      '2 stable null 1.0.0 promotion',
      '1 edge null 1.0.0 publish',
    ]);
    expect(all?.moves[0]?.verdict).toBe(hashes['1.2.0']);
    expect(all?.next).toBeNull();
    const seen: number[] = [];
    for (let cursor: string | undefined; ;) {
      const part = await reads.ofPack(OWN, packId, { limit: 2, cursor, channel: 'stable' });
      expect(part?.channels.map(head => head.channel)).toEqual(['stable']);
      seen.push(...(part?.moves ?? []).map(one => one.seq));
      if (!part?.next) break;
      cursor = part.next;
    }
    expect(seen).toEqual([6, 4, 2]);
    expect(await reads.ofPack(OWN, 'acme.none', page)).toBeUndefined();
  });

  it('show another tenant heads of what it may see, and no history', async () => {
    const packId = 'acme.shared';
    await publish(publisher, { packId, version: '1.0.0', channel: 'stable', tenantVisibility: ['globex'] });
    await publish(publisher, { packId, version: '1.1.0', channel: 'beta' });
    const at = { tenant: 'globex', namespace: 'acme' };
    const seen = await reads.ofPack(at, packId, page);
    expect(seen).toMatchObject({ channels: [{ channel: 'stable', version: '1.0.0' }], moves: [], next: null });
    expect(await reads.ofPack(at, 'acme.moved', page)).toBeUndefined();
    expect((await reads.ofPack(OWN, packId, page))?.moves).toHaveLength(2);
    for (const table of ['channels', 'channel_moves']) {
      for (const tenant of ['globex', '', 'ACME']) {
        const rows = await readAs(gateway, tenant, sql => sql.query(`select 1 from registry.${table} where tenant = 'acme'`));
        expect([table, tenant, rows.length]).toEqual([table, tenant, 0]);
      }
    }
  });

  it('cannot be written for another tenant, nor their history rewritten', async () => {
    const client = await db.client('publisher');
    const as = async (tenant: string, statement: string) => {
      await client.query('begin');
      try {
        await client.query(`select set_config('app.tenant', $1, true)`, [tenant]);
        return await client.query(statement).then(
          result => result.rowCount,
          (error: { code?: string }) => error.code,
        );
      } finally {
        await client.query('rollback');
      }
    };
    const channel = `insert into registry.channels values ('acme', 'x', '', now(), 'mallory')`;
    expect(await as('acme', channel)).toBe(1);
    expect(await as('globex', channel)).toBe('42501');
    const copied = `insert into registry.channel_moves select tenant, pack_id, 99, channel, from_version, to_version, now(), 'm', reason, verdict_hash from`;
    expect(await as('acme', `${copied} registry.channel_moves where seq = 6`)).toBe(1);
    expect(
      await as(
        'globex',
        `${copied} (values ('acme', 'acme.moved', 'edge', '1.0.0', '1.1.0', 'publish', 'x'))
      as m (tenant, pack_id, channel, from_version, to_version, reason, verdict_hash)`,
      ),
    ).toBe('42501');
    expect(await as('globex', `update registry.channels set description = 'mine' where tenant = 'acme'`)).toBe(0);
    for (const statement of [
      `update registry.channel_moves set to_version = '1.0.0'`,
      `update registry.channels set created_by = 'me'`,
      'delete from registry.channel_moves',
      'delete from registry.channels',
      `update registry.pack_versions set bundle_size = 1`,
    ]) {
      expect([statement, await as('acme', statement)]).toEqual([statement, '42501']);
    }
  });

  it('a version’s state is what lists are filtered by', async () => {
    const packId = 'acme.aged';
    for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) await publish(publisher, { packId, version });
    await archive(packId, '1.0.0');
    await deprecate(packId, '1.1.0');
    const states = async (query: object) =>
      (await packs.listVersions(OWN, packId, { ...page, ...query }))?.versions.map(
        one => `${one.version} ${one.lifecycle} ${one.deprecated}`,
      );
    expect(await states({})).toEqual(['1.3.0 active false', '1.2.0 active false']);
    expect(await states({ deprecated: true })).toEqual(['1.1.0 deprecated true', '1.0.0 archived true']);
    expect(await states({ lifecycle: 'active' })).toEqual(['1.3.0 active false', '1.2.0 active false']);
    expect(await states({ lifecycle: 'deprecated' })).toEqual(['1.1.0 deprecated true']);
    expect(await states({ lifecycle: 'archived' })).toEqual(['1.0.0 archived true']);
    expect(await states({ lifecycle: 'all' })).toHaveLength(4);
    const { view } = (await packs.findVersion(OWN, packId, '1.0.0')) ?? {};
    expect(view).toMatchObject({
      lifecycle: 'archived',
      archival: { at: AT, by: 'alice', reason: 'old' },
      deprecation: { at: AT, by: 'alice', reason: 'old' },
    });
  });

  it('a pack is shown by its newest active version, else its newest deprecated, else its newest archived one', async () => {
    const packId = 'acme.fading';
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await publish(publisher, { packId, version });
    const listed = async (query: object) =>
      (await packs.listPacks(OWN, { ...page, name: packId, ...query })).packs.map(pack => `${pack.version} ${pack.lifecycle}`);
    await archive(packId, '1.2.0');
    expect(await listed({})).toEqual(['1.1.0 active']);
    expect(await listed({ deprecated: true })).toEqual([]);
    await deprecate(packId, '1.0.0');
    await archive(packId, '1.1.0');
    expect(await listed({})).toEqual([]);
    expect(await listed({ deprecated: true })).toEqual(['1.0.0 deprecated']);
    expect(await listed({ lifecycle: 'archived' })).toEqual([]);
    await archive(packId, '1.0.0');
    expect(await listed({ deprecated: true })).toEqual(['1.2.0 archived']);
    expect(await listed({ lifecycle: 'archived' })).toEqual(['1.2.0 archived']);
    expect(await listed({ lifecycle: 'all' })).toEqual(['1.2.0 archived']);
  });

  it('an archived version is deprecated for ever', async () => {
    const admin: Client = await db.client();
    await expect(admin.query(`update registry.pack_versions set deprecated_at = null where archived_at is not null`)).rejects.toMatchObject(
      {
        code: '23514',
      },
    );
  });
});
