import { LeaseLost } from '@packs/ports';
import type { Client } from 'pg';
import { ulid } from 'ulid';
import { PostgresContentCatalog } from '../content-catalog';
import { aStoredBlob, SpecDatabase } from '../persistence.fixture';
import { PostgresScrubQueue } from './scrub-queue';

const LEASE_MS = 60_000;

describe('the queue of scrubs', () => {
  let db: SpecDatabase;
  let admin: Client;
  let queue: PostgresScrubQueue;
  const blobs = Array.from({ length: 40 }, (_, at) => aStoredBlob(`blob ${at}`)).toSorted((a, b) => (a.digest < b.digest ? -1 : 1));

  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    queue = new PostgresScrubQueue(await db.as('publisher'));
    await new PostgresContentCatalog(await db.as('api-gateway')).record(blobs);
  });
  afterAll(() => db.close());
  afterEach(() => admin.query('delete from content.scrubs'));

  const add = (since: string | null = null, sample = 1) => queue.add({ id: ulid(), requestedBy: 'user:op', since, sample });
  const claim = async (owner = ulid()) => {
    const held = await queue.claim(owner, LEASE_MS);
    if (!held) throw new Error('nothing to claim');
    return held;
  };
  const progress = (cursor: string) => ({
    cursor,
    examined: 1,
    bytes: 10,
    damaged: 1,
    unreadable: 0,
    digests: [blobs[0]?.digest ?? 'sha256:x'] as never,
  });

  it('holds one scrub at a time, of many that ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => add()));
    const [first] = asked.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
    expect(asked.filter(one => one.status === 'fulfilled')).toHaveLength(1);
    await expect(add()).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT', details: { id: first?.id } });
    await queue.complete(await claim());
    await add();
  });

  it('goes through every blob once, in pages, and tells how far it is', async () => {
    const { id } = await add();
    const held = await claim();
    expect(await queue.claim('another', LEASE_MS)).toBeUndefined();
    const seen: string[] = [];
    for (let page = await queue.next(held, '', 7); page.length > 0; page = await queue.next(held, seen.at(-1) ?? '', 7)) {
      seen.push(...page.map(blob => blob.digest));
      await queue.progress(held, progress(seen.at(-1) ?? ''));
    }
    expect(seen).toEqual(blobs.map(blob => blob.digest));
    expect(await queue.find(id)).toMatchObject({ state: 'running', examined: 6, bytes: 60, damaged: 6, digests: { length: 6 } });
    await queue.complete(held);
    expect(await queue.find(id)).toMatchObject({ state: 'completed' });
  });

  it('goes on where a process that died stood, and that one counts no more', async () => {
    await add();
    const dead = await claim('dead');
    await queue.progress(dead, progress('sha256:5'));
    await admin.query(`update content.scrubs set lease_until = now() - interval '1 s'`);
    const next = await claim('next');
    expect(next.cursor).toBe('sha256:5');
    await expect(queue.progress(dead, progress('sha256:9'))).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.renew(dead, LEASE_MS)).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.complete(dead)).rejects.toBeInstanceOf(LeaseLost);
    await queue.release(next, 0);
    expect(await queue.claim('third', LEASE_MS)).toMatchObject({ cursor: 'sha256:5' });
  });

  it('ends by request, under whoever holds it', async () => {
    const { id } = await add();
    const held = await claim();
    expect(await queue.cancel(id)).toMatchObject({ state: 'cancelled' });
    await expect(queue.progress(held, progress('x'))).rejects.toBeInstanceOf(LeaseLost);
    expect(await queue.claim('another', LEASE_MS)).toBeUndefined();
    expect(await queue.cancel(ulid())).toBeUndefined();
  });

  it('takes a sample that stays the same, and blobs from a time on', async () => {
    await add(null, 4);
    const held = await claim();
    const sample = await queue.next(held, '', 100);
    expect(sample.length).toBeLessThan(blobs.length);
    expect(await queue.next(held, '', 100)).toEqual(sample);
    await queue.complete(held);
    const [first, ...others] = blobs;
    await admin.query(`update content.blobs set created_at = '2020-01-01' where digest <> $1`, [first?.digest]);
    await add('2021-01-01T00:00:00.000Z');
    expect(await queue.next(await claim(), '', 100)).toEqual([first]);
    expect(others).not.toHaveLength(0);
  });

  it('begins one that is due, and not before', async () => {
    expect(await queue.addDue(ulid(), 'service:publisher', 3600)).toBe(true);
    expect(await queue.addDue(ulid(), 'service:publisher', 3600)).toBe(false);
    await queue.complete(await claim());
    expect(await queue.addDue(ulid(), 'service:publisher', 3600)).toBe(false);
    await admin.query(`update content.scrubs set requested_at = now() - interval '2 h'`);
    expect(await queue.addDue(ulid(), 'service:publisher', 3600)).toBe(true);
  });
});
