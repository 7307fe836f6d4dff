import { sha256 } from '@packs/domain';
import { LeaseLost } from '@packs/ports';
import type { Client } from 'pg';
import { SpecDatabase } from '../persistence.fixture';
import { PostgresRepairQueue } from './repair-queue';

const LEASE_MS = 60_000;
const DIGEST = sha256('damaged');

describe('the queue of repairs', () => {
  let db: SpecDatabase;
  let admin: Client;
  let queue: PostgresRepairQueue;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    queue = new PostgresRepairQueue(await db.as('mirror-worker'));
  });
  afterAll(() => db.close());
  afterEach(() => admin.query('delete from mirror.repairs; delete from mirror.inbox'));

  const ask = (event: string, tenant = 'acme') => queue.ask(event, { tenant, digest: DIGEST, size: 7 });
  const claim = async () => {
    const held = await queue.claim('worker', LEASE_MS);
    if (!held) throw new Error('nothing to claim');
    return held;
  };
  const states = async () => (await admin.query('select tenant, state, attempts, error_code from mirror.repairs order by tenant')).rows;

  it('takes an event once, and a blob once a tenant', async () => {
    expect([await ask('evt_1'), await ask('evt_1'), await ask('evt_2'), await ask('evt_3', 'globex')]).toEqual([true, false, true, true]);
    expect(await states()).toMatchObject([{ tenant: 'acme' }, { tenant: 'globex' }]);
  });

  it('gives a repair to one worker, and to another once that one is dead', async () => {
    await ask('evt_1');
    const held = await claim();
    expect(held).toMatchObject({ tenant: 'acme', digest: DIGEST, size: 7, attempt: 1 });
    expect(await queue.claim('another', LEASE_MS)).toBeUndefined();
    await admin.query(`update mirror.repairs set lease_until = now() - interval '1 s'`);
    expect(await queue.claim('another', LEASE_MS)).toMatchObject({ attempt: 2, owner: 'another' });
    await expect(queue.renew(held, LEASE_MS)).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.finish(held)).rejects.toBeInstanceOf(LeaseLost);
  });

  it('remembers how it ended, and is tried again later or when damage is found anew', async () => {
    await ask('evt_1');
    await queue.retryLater(await claim(), 'ERR_MIRROR_TARGET_UNAVAILABLE', 60_000);
    expect(await queue.claim('worker', LEASE_MS)).toBeUndefined();
    await admin.query(`update mirror.repairs set lease_until = now() - interval '1 s'`);
    await queue.finish(await claim(), 'ERR_PACK_NOT_FOUND');
    expect(await states()).toEqual([{ tenant: 'acme', state: 'failed', attempts: 2, error_code: 'ERR_PACK_NOT_FOUND' }]);
    await ask('evt_2');
    await queue.finish(await claim());
    expect(await states()).toEqual([{ tenant: 'acme', state: 'done', attempts: 1, error_code: null }]);
  });

  it('knows whether the blob is in quarantine still', async () => {
    await ask('evt_1');
    const held = await claim();
    expect(await queue.isWanted(held)).toBe(false);
    await admin.query(
      `insert into content.blobs (digest, size, object_key, block_checksums, quarantined_at) values ($1, 7, 'quarantined/x', '', now())`,
      [DIGEST],
    );
    expect(await queue.isWanted(held)).toBe(true);
  });
});
