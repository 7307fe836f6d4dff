import type { OutboxRow } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { assertDurable } from './data-source';
import { PostgresOutboxQueue } from './outbox';
import { anEvent, appendEvent, AT, SpecDatabase, unitOfWorkOn } from './persistence.fixture';
import { PostgresRegistryUnitOfWork } from './registry/registry-unit-of-work';

describe('the outbox', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let queue: PostgresOutboxQueue;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher', 8);
    queue = new PostgresOutboxQueue(publisher, 'registry');
  });
  beforeEach(() => db.database.empty());
  afterAll(() => db.close());

  async function append(count: number): Promise<string[]> {
    const events = Array.from({ length: count }, (_, at) => anEvent(at % 2 ? 'acme' : 'globex'));
    for (const event of events) await appendEvent(publisher, event);
    return events.map(event => event.id);
  }
  async function drained(limit = 100, acknowledge = (rows: readonly OutboxRow[]) => rows.length): Promise<string[]> {
    const ids: string[] = [];
    await queue.drain(limit, async rows => {
      ids.push(...rows.map(row => row.eventId));
      return acknowledge(rows);
    });
    return ids;
  }

  it('holds an event if and only if its transaction commits', async () => {
    const [kept, lost] = [anEvent(), anEvent()];
    await appendEvent(publisher, kept);
    const failing = unitOfWorkOn(publisher).run('acme', async tx => {
      await tx.outbox.append(lost);
      throw new Error('after the event');
    });
    await expect(failing).rejects.toThrow('after the event');
    expect(await drained()).toEqual([kept.id]);
  });

  it('is announced after the commit, and only after one', async () => {
    const unsent: number[] = [];
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const unitOfWork = new PostgresRegistryUnitOfWork(publisher, {
      committed: () => void unsent.push(1),
      traceparent: () => traceparent,
    });
    await expect(unitOfWork.run('acme', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(unsent).toEqual([]);
    await unitOfWork.run('acme', tx => tx.outbox.append(anEvent()));
    expect(unsent).toEqual([1]);
    await queue.drain(1, async rows => {
      expect(rows[0]?.traceparent).toBe(traceparent);
      return 1;
    });
  });

  it('gives back events of all tenants, in order, as they were', async () => {
    const ids = await append(7);
    const event = anEvent();
    await appendEvent(publisher, event);
    expect(await queue.countUnsent()).toBe(8);
    expect(await drained(3)).toEqual(ids.slice(0, 3));
    let last: OutboxRow | undefined;
    expect(await queue.drain(100, async rows => ((last = rows.at(-1)), rows.length))).toBe(5);
    expect(JSON.parse(last?.payload.toString() ?? '')).toEqual(event);
    expect(last).toMatchObject({ eventId: event.id, subject: event.type, traceparent: null });
    expect(await drained()).toEqual([]);
    expect(await queue.countUnsent()).toBe(0);
  });

  it('marks what was acknowledged, from the front, and keeps the rest', async () => {
    const ids = await append(5);
    expect(await drained(100, () => 2)).toEqual(ids);
    expect(await queue.countUnsent()).toBe(3);
    expect(await drained(100, () => 0)).toEqual(ids.slice(2));
    await expect(queue.drain(100, () => Promise.reject(new Error('no stream')))).rejects.toThrow('no stream');
    expect(await drained()).toEqual(ids.slice(2));
  });

  it('keeps what was sent as the record of events', async () => {
    await append(2);
    await drained();
    const { rows } = await (await db.client()).query<{ sent: boolean }>('select sent_at is not null as sent from registry.outbox');
    expect(rows).toEqual([{ sent: true }, { sent: true }]);
  });

  it('is drained by one relay at a time: nothing is handed out twice at once', async () => {
    const ids = await append(40);
    const other = new PostgresOutboxQueue(await db.as('publisher', 2), 'registry');
    const handedOut: string[] = [];
    let inside = 0;
    let most = 0;
    const publish = async (rows: readonly OutboxRow[]) => {
      most = Math.max(most, ++inside);
      handedOut.push(...rows.map(row => row.eventId));
      await publisher.query('select 1');
      inside -= 1;
      return rows.length;
    };
    while ((await queue.countUnsent()) > 0) await Promise.all([queue.drain(3, publish), other.drain(3, publish)]);
    expect(handedOut).toEqual(ids);
    expect(most).toBe(1);
  });

  it('goes on after a relay that died in the middle', async () => {
    const ids = await append(3);
    const doomed = await db.as('publisher', 1);
    const admin = await db.client();
    const dying = new PostgresOutboxQueue(doomed, 'registry').drain(100, async rows => {
      await admin.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
      );
      return rows.length;
    });
    await expect(dying).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
    expect(await drained()).toEqual(ids);
  });

  it('refuses an event that is larger than a message may be', async () => {
    const event = anEvent();
    const large = { ...event, data: { ...event.data, shareWith: Array.from({ length: 1100 }, () => 'a'.repeat(64)) } };
    await expect(appendEvent(publisher, large)).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT' });
    expect(await queue.countUnsent()).toBe(0);
  });

  it('keeps events of months nobody made room for', async () => {
    const events = [new Date('2001-05-01'), new Date(AT), new Date('2093-05-01')].map(at => anEvent('acme', at));
    for (const event of events) await appendEvent(publisher, event);
    expect(await drained()).toEqual(events.map(event => event.id));
  });
});

describe('assertDurable', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open();
  });
  afterAll(() => db.close());

  it('accepts a server that keeps what it acknowledges', async () => {
    await expect(assertDurable(await db.as('publisher'))).resolves.toBeUndefined();
  });

  it('refuses one that does not, and names the setting', async () => {
    await (await db.client()).query(`alter database ${db.database.name} set synchronous_commit = off`);
    await expect(assertDurable(await db.as('publisher'))).rejects.toThrow('synchronous_commit = off');
  });
});
