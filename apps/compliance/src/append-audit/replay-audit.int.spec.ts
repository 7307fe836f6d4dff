import { AUDIT_CONSUMER, newEvent, VisibilityUpdated, type EventEnvelope } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { checkMessage, ReplayEvents } from '@packs/messaging';
import {
  createDataSource,
  PostgresAuditUnitOfWork,
  PostgresEventRecord,
  PostgresRegistryUnitOfWork,
  type DataSource,
} from '@packs/persistence';
import { WakeUps } from '@packs/ports';
import { testDatabase, type TestDatabase } from '@packs/testing';
import { AppendAudit } from './append-audit';

class NoWakeUps extends WakeUps {
  signals = 0;

  signal(): void {
    this.signals += 1;
  }

  subscribe(): () => void {
    return () => undefined;
  }
}

const anEvent = (at: number): EventEnvelope =>
  newEvent(
    VisibilityUpdated,
    {
      packId: null,
      version: null,
      actor: 'user:alice',
      tenant: 'acme',
      source: null,
      signatures: [],
      metadataHash: sha256('x'),
      shareWith: [],
    },
    new Date(Date.parse('2026-01-17T08:00:00.000Z') + at * 1000),
  );

describe('a replay into the audit log', () => {
  const events = [0, 1, 2, 3, 4].map(anEvent);
  let database: TestDatabase;
  let compliance: DataSource;
  let publisher: DataSource;
  let admin: DataSource;
  beforeEach(async () => {
    database = await testDatabase();
    compliance = await createDataSource({ url: database.urlOf('compliance'), applicationName: 'spec' }).initialize();
    publisher = await createDataSource({ url: database.urlOf('publisher'), applicationName: 'spec' }).initialize();
    admin = await createDataSource({ url: database.adminUrl, applicationName: 'spec', poolSize: 1 }).initialize();
    const unitOfWork = new PostgresRegistryUnitOfWork(publisher, { committed: () => undefined, traceparent: () => null });
    await unitOfWork.run('acme', async tx => {
      for (const event of events) await tx.outbox.append(event);
    });
  });
  afterEach(async () => {
    await admin.destroy();
    await Promise.all([compliance.destroy(), publisher.destroy()]);
    await database.drop();
  });

  const wakeUps = new NoWakeUps();
  const audit = () => new AppendAudit(new PostgresAuditUnitOfWork(compliance), wakeUps, checkMessage);
  const replay = (rebuild = false) =>
    new ReplayEvents(new PostgresEventRecord(compliance), [{ contract: AUDIT_CONSUMER, apply: event => audit().execute(event) }]).execute({
      tenant: 'acme',
      consumer: AUDIT_CONSUMER.name,
      since: null,
      rebuild,
    });
  const log = async () => {
    const rows = await admin.query<{ seq: string; event_id: string; leaf: Buffer }[]>(
      `select seq, event_id, leaf from compliance.audit_log where tenant = 'acme' order by seq`,
    );
    return rows;
  };

  it('appends what is missing behind what is there, and nothing twice', async () => {
    const [first, , third] = events;
    for (const event of [first, third]) if (event) await audit().execute(event);
    const before = await log();
    expect(await replay()).toMatchObject({ events: 5, applied: 3 });
    const after = await log();
    expect(after.slice(0, 2)).toEqual(before);
    expect(after.map(row => [Number(row.seq), row.event_id])).toEqual([0, 2, 1, 3, 4].map((at, index) => [index + 1, events[at]?.id]));
    expect(await replay()).toMatchObject({ events: 5, applied: 0 });
    expect(await log()).toEqual(after);
  });

  it('knows its own entries after the inbox has forgotten them', async () => {
    for (const event of events) await audit().execute(event);
    const before = await log();
    await admin.query(`delete from compliance.inbox`);
    const { signals } = wakeUps;
    expect(await replay()).toMatchObject({ applied: 0 });
    expect(await log()).toEqual(before);
    expect(wakeUps.signals).toBe(signals);
    const next = anEvent(9);
    expect(await audit().execute(next)).toBe(true);
    expect((await log()).at(-1)).toMatchObject({ seq: '6', event_id: next.id });
  });

  it('appends many at once as one after another: in order, without a gap, each once', async () => {
    const [first, second] = events;
    if (first) await audit().execute(first);
    const globex = { ...anEvent(7), data: { ...anEvent(7).data, tenant: 'globex' } };
    const batch = [...events, globex, ...(second ? [second] : [])];
    expect(await audit().executeAll(batch)).toBe(5);
    expect((await log()).map(row => [Number(row.seq), row.event_id])).toEqual(events.map((event, at) => [at + 1, event.id]));
    const apart = await log();
    expect(await audit().executeAll(batch)).toBe(0);
    expect(await log()).toEqual(apart);
    const [{ seq } = { seq: '' }] = await admin.query<{ seq: string }[]>(`select seq from compliance.audit_log where tenant = 'globex'`);
    expect(seq).toBe('1');
  });

  it('has each event once and no gap when two append the same ones at the same time', async () => {
    const many = Array.from({ length: 60 }, (_, at) => anEvent(10 + at));
    const overlapping = [many.slice(0, 40), many.slice(20), many.slice(10, 50)];
    const counts = await Promise.all(overlapping.map(batch => audit().executeAll(batch)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    const rows = await log();
    expect(rows.map(row => Number(row.seq))).toEqual(many.map((_, at) => at + 1));
    expect(new Set(rows.map(row => row.event_id))).toEqual(new Set(many.map(({ id }) => id)));
  });

  it('appends none of several when one does not follow its contract', async () => {
    const [first] = events;
    const other = anEvent(8);
    const faulty = { ...other, data: { ...other.data, shareWith: 'everybody' } };
    await expect(audit().executeAll([...(first ? [first] : []), faulty])).rejects.toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID' });
    expect(await log()).toEqual([]);
  });

  it('never starts the log anew', async () => {
    for (const event of events) await audit().execute(event);
    const before = await log();
    await expect(replay(true)).rejects.toMatchObject({ code: 'ERR_PACK_APPEND_ONLY' });
    expect(await log()).toEqual(before);
  });
});
