import { MEDIA_TYPES, sha256 } from '@packs/domain';
import type { GenericPush, ReadChange, ReadChangesSeen, RegistryTx } from '@packs/ports';
import { eventually } from '@packs/testing';
import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from '../content-catalog';
import { PostgresGenericContent } from '../registry/generic-content';
import { aStoredBlob, AT, publish, setUpTrust, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresReadChanges } from './read-changes';
import { PostgresUploadSessions } from './upload-sessions';

const EVERYTHING: ReadChange = { tenant: null, repository: null, reference: null };
const NOTE = { at: AT, actor: 'user:alice' };

describe('PostgresReadChanges', () => {
  let db: SpecDatabase;
  let admin: Client;
  let publisher: DataSource;
  let seen: ReadChangesSeen;
  const watched: ReadChangesSeen[] = [];
  const watch = async (): Promise<ReadChangesSeen> => {
    const begun = await new PostgresReadChanges(db.database.urlOf('api-gateway'), 'spec').watch();
    watched.push(begun);
    return begun;
  };
  const change = (work: (tx: RegistryTx) => Promise<unknown>) => unitOfWorkOn(publisher).run('acme', work);
  const of = (repository: string, reference: string | null = null): ReadChange => ({ tenant: 'acme', repository, reference });

  const [config, layer] = [aStoredBlob('config'), aStoredBlob('layer')];
  async function push(content: string, changes: Partial<GenericPush> = {}) {
    const stored = aStoredBlob(content);
    await new PostgresContentCatalog(publisher).record([config, layer, stored]);
    const uploads = new PostgresUploadSessions(await db.as('api-gateway', 1));
    for (const blob of [config, layer]) await uploads.link({ namespace: 'acme', repository: 'app' }, 'user:alice', blob);
    const manifest = { digest: stored.digest, mediaType: MEDIA_TYPES.ociManifest, artifactType: '', subject: null, annotations: {} };
    const blobs = [config.digest, layer.digest];
    const whole = {
      tenant: 'acme',
      repository: 'app',
      manifest,
      written: stored,
      tags: ['latest'],
      blobs,
      foreignBlobs: [],
      parts: [],
      children: [],
      ...NOTE,
    };
    await new PostgresGenericContent(publisher, false).put({ ...whole, ...changes });
    return stored.digest;
  }

  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    publisher = await db.as('publisher');
    await setUpTrust(publisher, 'acme');
  });
  beforeEach(async () => {
    seen = await watch();
  });
  afterAll(async () => {
    for (const one of watched) one.close();
    await db.close();
  });

  describe('tells what to forget', () => {
    it('nothing for a first push, the same push again, and a repository made', async () => {
      const digest = await push('first', { tags: ['v1', 'v2'] });
      await push('first', { tags: ['v1', 'v2'] });
      await push('a referrer', { tags: [], manifest: { ...(await record('a referrer')), subject: digest } });
      expect(await seen.next()).toEqual([]);
    });
    const record = async (content: string) => ({
      ...{ digest: sha256(content), mediaType: MEDIA_TYPES.ociManifest },
      ...{ artifactType: '', subject: null, annotations: {} },
    });

    it('a tag that moves, or is taken away', async () => {
      await push('first', { tags: ['moved', 'stays'] });
      await push('second', { tags: ['moved'] });
      expect(await seen.next()).toEqual([of('app', 'moved')]);
      expect(await seen.next()).toEqual([]);
      await change(tx => tx.repositories.deleteTag('acme', 'app', 'moved'));
      expect(await seen.next()).toEqual([of('app', 'moved')]);
    });

    it('a manifest that is deleted, with its tags and blobs', async () => {
      const digest = await push('deleted', { tags: ['gone'] });
      await change(tx => tx.repositories.deleteManifest('acme', 'app', digest));
      expect(await seen.next()).toEqual(
        expect.arrayContaining([of('app'), of('app', 'gone'), of('app', config.digest), of('app', layer.digest)]),
      );
    });

    it('a blob that is taken out of a repository', async () => {
      const single = aStoredBlob('single');
      await new PostgresUploadSessions(await db.as('api-gateway', 1)).link({ namespace: 'acme', repository: 'app' }, 'user:alice', single);
      expect(await seen.next()).toEqual([]);
      await change(tx => tx.repositories.deleteBlob('acme', 'app', single.digest));
      expect(await seen.next()).toEqual([of('app', single.digest)]);
    });

    it('a pack whose versions or channels change', async () => {
      await publish(publisher, { packId: 'hello', version: '1.0.0' });
      expect(await seen.next()).toEqual([of('hello'), of('hello')]);
      const note = { at: AT, actor: 'user:bob', reason: null, replacement: null };
      await change(tx => tx.packs.deprecate('acme', 'hello', '1.0.0', note));
      expect(await seen.next()).toEqual([of('hello')]);
      await change(tx => tx.repositories.lockPack('acme', 'hello'));
      expect(await seen.next()).toEqual([]);
    });

    it('a tenant whose keys or namespace policy change, and not one that shares with others', async () => {
      await change(tx => tx.trust.setMaterial('acme', 2, aStoredBlob('trust of acme')));
      expect(await seen.next()).toEqual([{ ...EVERYTHING, tenant: 'acme' }]);
      await change(tx => tx.trust.setShareWith('acme', ['initech']));
      expect(await seen.next()).toEqual([]);
      for (const publicRead of [true, false]) {
        await change(tx => tx.namespacePolicies.put('acme', { publicRead, pullByDigestOnly: false }, NOTE));
        expect(await seen.next()).toEqual([{ ...EVERYTHING, tenant: 'acme' }]);
      }
    });

    it('bytes that were found damaged, wherever they are', async () => {
      await admin.query(
        `update content.blobs set object_key = 'quarantined/' || object_key, quarantined_at = now(), quarantine_reason = 'x' where digest = $1`,
        [layer.digest],
      );
      expect(await seen.next()).toEqual([{ ...EVERYTHING, reference: layer.digest }]);
    });
  });

  it('tells of a change to each who watches, once, whenever its transaction ends', async () => {
    const other = await watch();
    await push('a', { tags: ['late', 'early', 'never'] });
    const [slow, failing] = [await db.client(), await db.client()];
    for (const client of [slow, failing]) await client.query('begin');
    await slow.query(`delete from registry.tags where tag = 'late'`);
    await failing.query(`delete from registry.tags where tag = 'never'`);
    await admin.query(`delete from registry.tags where tag = 'early'`);
    for (const one of [seen, other]) expect(await one.next()).toEqual([of('app', 'early')]);
    const begunMeanwhile = await watch();
    await failing.query('rollback');
    expect(await seen.next()).toEqual([]);
    await slow.query('commit');
    for (const one of [seen, other, begunMeanwhile]) expect(await one.next()).toEqual([of('app', 'late')]);
    for (const one of [seen, other, begunMeanwhile]) expect(await one.next()).toEqual([]);
  });

  it('misses none of many changes that are committed while it looks', async () => {
    const tags = Array.from({ length: 200 }, (_, at) => `many-${at}`);
    await push('many', { tags });
    const clients = await Promise.all(Array.from({ length: 4 }, () => db.client()));
    const told: (string | null)[] = [];
    let left = clients.length;
    const deleting = clients.map(async (client, nth) => {
      for (const tag of tags.filter((_, at) => at % clients.length === nth))
        await client.query('delete from registry.tags where tag = $1', [tag]);
      left -= 1;
    });
    while (left > 0) told.push(...(await seen.next()).map(({ reference }) => reference));
    await Promise.all(deleting);
    told.push(...(await seen.next()).map(({ reference }) => reference));
    expect(told.toSorted()).toEqual(tags.toSorted());
  });

  it('says that everything changed rather than a long list', async () => {
    await push('a thousand', { tags: Array.from({ length: 1_001 }, (_, at) => `thousand-${at}`) });
    await admin.query(`delete from registry.tags where tag like 'thousand-%'`);
    expect(await seen.next()).toEqual([EVERYTHING]);
    expect(await seen.next()).toEqual([]);
  });

  it('is of no use any more when its connection was lost', async () => {
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'spec' and query like '%read_changes_since%'`,
    );
    await expect(seen.next()).rejects.toThrow();
    await expect(seen.next()).rejects.toThrow();
    expect(await (await watch()).next()).toEqual([]);
  });

  it('says that everything changed to who had not seen what was pruned, and nothing to who had', async () => {
    const prune = async (at: string) =>
      (await admin.query<{ gone: string }>(`select registry.prune_read_changes(${at}) as gone`)).rows[0]?.gone;
    // Transactions of any database of this server keep what comes after them from being seen for certain.
    const othersHaveEnded = async () => {
      const { rows } = await admin.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
      await eventually(async () => {
        const told = await admin.query('select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as ended', [rows[0]?.xid]);
        expect(told.rows).toEqual([{ ended: true }]);
      });
    };
    const [behind, asleep] = [await watch(), await watch()];
    await push('pruned', { tags: ['pruned'] });
    await change(tx => tx.repositories.deleteTag('acme', 'app', 'pruned'));
    expect(await seen.next()).toEqual([of('app', 'pruned')]);
    await othersHaveEnded();
    expect(await seen.next()).toEqual([]);
    expect(await prune(`now() - interval '1 hour'`)).toBe('0');
    expect(Number(await prune('now()'))).toBeGreaterThan(0);
    expect(await seen.next()).toEqual([]);
    expect(await behind.next()).toEqual([EVERYTHING]);
    await othersHaveEnded();
    expect(await behind.next()).toEqual([]);
    // The row that tells of it goes as well, and leaves one that tells of everything.
    expect(await prune('now()')).toBe('1');
    expect(await behind.next()).toEqual([]);
    expect(await asleep.next()).toEqual([EVERYTHING]);
  });

  it('forgets by itself what is an hour old', async () => {
    await admin.query('truncate registry.read_changes');
    await admin.query(
      `insert into registry.read_changes (tenant, created_at) select 'old', now() - interval '61 minutes' from generate_series(1, 500)`,
    );
    await admin.query(`insert into registry.read_changes (tenant) values ('young')`);
    await push('much', { tags: Array.from({ length: 1_000 }, (_, at) => `much-${at}`) });
    await admin.query(`delete from registry.tags where tag like 'much-%'`);
    const { rows } = await admin.query<{ tenant: string | null; n: number }>(
      'select tenant, count(*)::int as n from registry.read_changes group by tenant order by tenant',
    );
    expect(rows).toEqual([
      { tenant: 'acme', n: 1_000 },
      { tenant: 'young', n: 1 },
      { tenant: null, n: 1 },
    ]);
  });

  it('is told to gateways alone', async () => {
    for (const process of ['publisher', 'mirror-worker', 'parity-worker', 'compliance'] as const) {
      const client = await db.client(process);
      await expect(client.query('select * from registry.read_changes_since(null, 1)')).rejects.toMatchObject({ code: '42501' });
    }
    const gateway = await db.client('api-gateway');
    await expect(gateway.query('select registry.prune_read_changes(now())')).rejects.toMatchObject({ code: '42501' });
  });
});
