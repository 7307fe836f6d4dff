import { AUDIT_CONSUMER, COVERAGE_CONSUMER, newEvent, VisibilityUpdated, type EventEnvelope } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import { EventRecord } from '@packs/ports';
import { applyAll, type EventSubscriber } from './event-subscriber';
import { ReplayEvents } from './replay-events';

function anEvent(at: string): EventEnvelope {
  const data = {
    packId: null,
    version: null,
    actor: 'user:alice',
    tenant: 'acme',
    source: null,
    signatures: [],
    metadataHash: sha256('x'),
  };
  return newEvent(VisibilityUpdated, { ...data, shareWith: [] }, new Date(at));
}

const EVENTS = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'].map(anEvent);

class ListedEvents extends EventRecord {
  readonly asked: unknown[] = [];

  async *read(filter: { since: Date | null; tenant: string | null }): AsyncIterable<EventEnvelope> {
    this.asked.push(filter);
    yield* EVENTS.filter(event => filter.since === null || new Date(event.time) >= filter.since);
  }
}

function setUp(apply: (event: EventEnvelope) => Promise<boolean> = async () => true) {
  const seen: string[] = [];
  const record = new ListedEvents();
  const taking = (event: EventEnvelope) => {
    seen.push(event.id);
    return apply(event);
  };
  const subscribers: EventSubscriber[] = [
    { contract: AUDIT_CONSUMER, apply: taking },
    {
      contract: COVERAGE_CONSUMER,
      apply: () => Promise.reject(new Error('not this one')),
      rebuild: (_, events) => applyAll(events, taking),
    },
  ];
  return { seen, record, replay: new ReplayEvents(record, subscribers) };
}

const AUDIT = { tenant: 'acme', consumer: AUDIT_CONSUMER.name, since: null, rebuild: false };
const COVERAGE = { tenant: 'acme', consumer: COVERAGE_CONSUMER.name, since: null, rebuild: true };
const ids = EVENTS.map(({ id }) => id);

describe('ReplayEvents', () => {
  it('hands the events of one tenant to the consumer named, in order, and counts those that took effect', async () => {
    const { replay, record, seen } = setUp(async event => event.id !== ids[1]);
    expect(await replay.execute(AUDIT)).toEqual({ consumer: AUDIT_CONSUMER.name, events: 3, applied: 2, refused: 0 });
    expect(seen).toEqual(ids);
    expect(record.asked).toEqual([{ tenant: 'acme', since: null }]);
  });

  it('begins where it is told to', async () => {
    const { replay, seen } = setUp();
    expect(await replay.execute({ ...AUDIT, since: '2026-02-01T00:00:00.000Z' })).toMatchObject({ events: 2 });
    expect(seen).toEqual(ids.slice(1));
  });

  it('goes on behind an event that is refused for good', async () => {
    const { replay, seen } = setUp(event =>
      event.id === ids[0] ? Promise.reject(new DomainError('ERR_PACK_REQUEST_INVALID', 'broken')) : Promise.resolve(true),
    );
    expect(await replay.execute(AUDIT)).toMatchObject({ events: 3, applied: 2, refused: 1 });
    expect(seen).toEqual(ids);
  });

  it.each([new DomainError('ERR_PACK_UNAVAILABLE', 'down', { retry: 'later' }), new Error('unforeseen')])('ends at %s', async failure => {
    const { replay, seen } = setUp(() => Promise.reject(failure));
    await expect(replay.execute(AUDIT)).rejects.toBe(failure);
    expect(seen).toHaveLength(1);
  });

  it('rebuilds from the whole record', async () => {
    const { replay, seen } = setUp();
    expect(await replay.execute(COVERAGE)).toEqual({ consumer: COVERAGE_CONSUMER.name, events: 3, applied: 3, refused: 0 });
    expect(seen).toEqual(ids);
  });

  it('rebuilds from a time that nothing happened before', async () => {
    const { replay, seen } = setUp();
    await replay.execute({ ...COVERAGE, since: '2026-01-01T00:00:00.000Z' });
    expect(seen).toEqual(ids);
  });

  it('does not rebuild from part of the record', async () => {
    const { replay, seen } = setUp();
    const partial = replay.execute({ ...COVERAGE, since: '2026-01-01T00:00:00.001Z' });
    await expect(partial).rejects.toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID', errors: [{ field: 'since' }] });
    expect(seen).toEqual([]);
  });

  it('does not rebuild what is only ever appended to', async () => {
    const { replay, seen } = setUp();
    await expect(replay.execute({ ...AUDIT, rebuild: true })).rejects.toMatchObject({ code: 'ERR_PACK_APPEND_ONLY' });
    expect(seen).toEqual([]);
  });

  it('knows no other consumer', async () => {
    await expect(setUp().replay.execute({ ...AUDIT, consumer: 'mirror-plan' })).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('ends before the next event once its process stops', async () => {
    const { replay, seen } = setUp(async () => {
      replay.stop();
      return true;
    });
    await expect(replay.execute(AUDIT)).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    expect(seen).toHaveLength(1);
  });
});
