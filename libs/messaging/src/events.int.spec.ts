import { AUDIT_CONSUMER, EVENT_STREAM, type EventEnvelope } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { eventually, testNats, type TestNats } from '@packs/testing';
import { connect, type NatsConnection } from 'nats';
import { openConnection } from './connection';
import { EventConsumer, type EventHandler, type EventsHandler } from './event-consumer';
import { EventStream } from './event-stream';
import { anEvent, InMemoryOutbox, QUIET, RecordingDeadLetters, rowOf } from './messaging.fixture';
import { NatsWakeUps } from './nats-wake-ups';
import { OutboxRelay } from './outbox-relay';

/** The publisher's and the compliance process's side of one nats-server. */
class Wire {
  readonly outbox = new InMemoryOutbox();
  readonly letters = new RecordingDeadLetters();
  readonly handled: string[] = [];
  private readonly working: { drain(): Promise<unknown> }[] = [];

  private constructor(
    readonly nats: TestNats,
    readonly publisher: NatsConnection,
    readonly compliance: NatsConnection,
    readonly stream: EventStream,
  ) {}

  static async open(): Promise<Wire> {
    const nats = await testNats();
    const publisher = await openConnection(nats.loginOf('publisher'));
    const compliance = await openConnection(nats.loginOf('compliance'));
    const wire = new Wire(nats, publisher, compliance, new EventStream(publisher, 1));
    await wire.stream.ensure();
    return wire;
  }

  startRelay(): OutboxRelay {
    const relay = new OutboxRelay(this.outbox, rows => this.stream.publish(rows), QUIET);
    relay.start();
    this.working.push(relay);
    return relay;
  }

  startConsumer(handle: EventHandler = async event => void this.handled.push(event.id), handleAll?: EventsHandler): EventConsumer {
    const consumer = new EventConsumer(this.compliance, AUDIT_CONSUMER, handle, this.letters, QUIET, handleAll);
    consumer.start();
    this.working.push(consumer);
    return consumer;
  }

  async publish(...events: EventEnvelope[]): Promise<string[]> {
    expect(await this.stream.publish(events.map(event => rowOf(event)))).toBe(events.length);
    return events.map(event => event.id);
  }

  untilHandled(ids: readonly string[], withinMs?: number): Promise<void> {
    return eventually(() => expect(new Set(this.handled)).toEqual(new Set(ids)), withinMs);
  }

  /** Messages that are stored, and those the consumer has neither finished nor given up. */
  async counts(): Promise<{ stored: number; open: number }> {
    const connection = await connect(this.nats.admin);
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(EVENT_STREAM.name);
    const consumer = await manager.consumers.info(EVENT_STREAM.name, AUDIT_CONSUMER.name).catch(() => undefined);
    await connection.close();
    return { stored: state.messages, open: (consumer?.num_ack_pending ?? 0) + (consumer?.num_pending ?? 0) };
  }

  async close(): Promise<void> {
    for (const one of this.working) await one.drain();
    await this.publisher.close();
    await this.compliance.close();
    await this.nats.stop();
  }
}

describe('events on the wire', () => {
  let wire: Wire;
  beforeEach(async () => {
    wire = await Wire.open();
  });
  afterEach(() => wire.close());
  const events = (count: number): EventEnvelope[] => Array.from({ length: count }, () => anEvent());

  describe('the stream', () => {
    it('is made once and keeps what it holds', async () => {
      await wire.publish(anEvent());
      await wire.stream.ensure();
      await new EventStream(wire.publisher, 1).ensure();
      expect((await wire.counts()).stored).toBe(1);
    });

    it('is brought back to its configuration', async () => {
      const admin = await connect(wire.nats.admin);
      const manager = await admin.jetstreamManager();
      await manager.streams.update(EVENT_STREAM.name, { subjects: ['pack.>'], max_age: 1e12 });
      await wire.stream.ensure();
      expect((await manager.streams.info(EVENT_STREAM.name)).config).toMatchObject({
        subjects: [...EVENT_STREAM.subjects],
        max_age: 0,
        storage: 'file',
      });
      await admin.close();
    });

    it('is refused when the server cannot keep it as asked', async () => {
      const admin = await connect(wire.nats.admin);
      await (await admin.jetstreamManager()).streams.delete(EVENT_STREAM.name);
      await expect(new EventStream(wire.publisher, 3).ensure()).rejects.toThrow(/replicas/);
      await admin.close();
    });

    it('stores an event once, however often it is sent', async () => {
      const event = anEvent();
      for (let at = 0; at < 3; at++) await wire.publish(event);
      await wire.publish(anEvent());
      expect((await wire.counts()).stored).toBe(2);
    });

    it('acknowledges from the front: what follows a refused row does not count', async () => {
      const [first, second, third] = events(3).map(event => rowOf(event)) as [
        ReturnType<typeof rowOf>,
        ReturnType<typeof rowOf>,
        ReturnType<typeof rowOf>,
      ];
      const tooLarge = { ...second, payload: Buffer.alloc(2 * 1024 * 1024) };
      expect(await wire.stream.publish([first, tooLarge, third])).toBe(1);
      expect(await wire.stream.publish([])).toBe(0);
    });
  });

  it('go from outbox to consumer, whole and in order', async () => {
    const sent = events(700);
    const received: EventEnvelope[] = [];
    wire.outbox.unsent.push(...sent.map(event => rowOf(event)));
    wire.startRelay();
    wire.startConsumer(async event => void received.push(event));
    await eventually(() => expect(received).toHaveLength(700));
    expect(received).toEqual(sent);
    await eventually(async () => expect(await wire.counts()).toEqual({ stored: 700, open: 0 }));
    expect(wire.outbox.unsent).toEqual([]);
  });

  it('leave as soon as the relay is woken', async () => {
    const relay = wire.startRelay();
    wire.startConsumer();
    const event = anEvent();
    wire.outbox.unsent.push(rowOf(event));
    relay.wake();
    await wire.untilHandled([event.id]);
  });

  it('that were written before the consumer first came reach it too', async () => {
    const ids = await wire.publish(...events(5));
    wire.startConsumer();
    await wire.untilHandled(ids);
    expect(wire.handled).toEqual(ids);
  });

  it('are tried again, later each time, until the handler succeeds', async () => {
    const attempts: number[] = [];
    const [id] = await wire.publish(anEvent());
    wire.startConsumer(async event => {
      attempts.push(performance.now());
      if (attempts.length < 3) throw new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', { retry: 'later' });
      wire.handled.push(event.id);
    });
    await wire.untilHandled([id ?? '']);
    const [first = 0, second = 0, third = 0] = attempts;
    expect(second - first).toBeGreaterThan(150);
    expect(third - second).toBeGreaterThan(350);
    await eventually(async () => expect((await wire.counts()).open).toBe(0));
    expect(wire.letters.added).toEqual([]);
  });

  it('that wait are handled together, in order, where they can be', async () => {
    const sent = events(700);
    await wire.publish(...sent);
    const groups: string[][] = [];
    wire.startConsumer(
      async event => void groups.push([event.id]),
      async together => void groups.push(together.map(({ id }) => id)),
    );
    await eventually(() => expect(groups.flat()).toEqual(sent.map(({ id }) => id)));
    expect(groups.length).toBeLessThan(350);
    await eventually(async () => expect(await wire.counts()).toEqual({ stored: 700, open: 0 }));
    const next = anEvent();
    await wire.publish(next);
    await eventually(() => expect(groups.at(-1)).toEqual([next.id]));
  });

  it('are handled one by one when they cannot be together, and only the one at fault is set aside', async () => {
    const sent = events(40);
    const refused = sent[20]?.id;
    const refuse = (ids: readonly string[]): void => {
      if (ids.includes(refused ?? '')) throw new DomainError('ERR_PACK_PRECONDITION', 'no such pack');
      wire.handled.push(...ids);
    };
    const malformed = rowOf(anEvent(), Buffer.from('{'));
    const rows = sent.map(event => rowOf(event));
    expect(await wire.stream.publish([...rows.slice(0, 30), malformed, ...rows.slice(30)])).toBe(41);
    wire.startConsumer(
      async event => refuse([event.id]),
      async together => refuse(together.map(({ id }) => id)),
    );
    await eventually(() => expect(wire.handled).toEqual(sent.map(({ id }) => id).filter(id => id !== refused)));
    await eventually(() => expect(wire.letters.added.map(({ eventId }) => eventId)).toEqual([refused, null]));
    await eventually(async () => expect((await wire.counts()).open).toBe(0));
  });

  it('reach a consumer that came to handle them together, and one that no longer does', async () => {
    const together = async (all: readonly EventEnvelope[]) => void wire.handled.push(...all.map(({ id }) => id));
    const ids: string[] = [];
    for (const handleAll of [undefined, together, undefined]) {
      const consumer = wire.startConsumer(undefined, handleAll);
      ids.push(...(await wire.publish(...events(5))));
      await wire.untilHandled(ids);
      await consumer.drain();
    }
  });

  it('that nobody can read are set aside, and those behind them go on', async () => {
    const [before, after] = [anEvent(), anEvent()];
    const malformed = [Buffer.from('{'), Buffer.from('"text"'), Buffer.from(JSON.stringify({ ...anEvent(), specversion: '9' }))];
    await wire.publish(before);
    expect(await wire.stream.publish(malformed.map(payload => rowOf(anEvent(), payload)))).toBe(3);
    await wire.publish(after);
    wire.startConsumer();
    await wire.untilHandled([before.id, after.id]);
    await eventually(() => expect(wire.letters.added).toHaveLength(3));
    expect(wire.letters.added.map(letter => letter.payload)).toEqual(malformed);
    expect(wire.letters.added[0]).toMatchObject({
      consumer: AUDIT_CONSUMER.name,
      subject: before.type,
      eventId: null,
      tenant: null,
      reason: 'ERR_PACK_REQUEST_INVALID: the message is not JSON',
      attempts: 1,
    });
    await eventually(async () => expect((await wire.counts()).open).toBe(0));
  });

  it('that the handler refuses are set aside under their id and tenant, and those behind them go on', async () => {
    const [refused, next] = [anEvent('globex'), anEvent()];
    await wire.publish(refused, next);
    wire.startConsumer(async event => {
      if (event.id === refused.id) throw new DomainError('ERR_PACK_PRECONDITION', 'no such pack');
      wire.handled.push(event.id);
    });
    await wire.untilHandled([next.id]);
    await eventually(() =>
      expect(wire.letters.added).toMatchObject([{ eventId: refused.id, tenant: 'globex', reason: 'ERR_PACK_PRECONDITION: no such pack' }]),
    );
    await eventually(async () => expect((await wire.counts()).open).toBe(0));
  });

  it('are not given up before the dead letter is kept', async () => {
    wire.letters.failures = 2;
    expect(await wire.stream.publish([rowOf(anEvent(), Buffer.from('{'))])).toBe(1);
    wire.startConsumer();
    await eventually(() => expect(wire.letters.added).toMatchObject([{ attempts: 3 }]));
    await eventually(async () => expect((await wire.counts()).open).toBe(0));
  });

  it('at hand when the consumer is drained are finished; the rest wait for the next', async () => {
    const ids = await wire.publish(...events(20));
    let finish = (): void => undefined;
    const held = new Promise<void>(resolve => (finish = resolve));
    const consumer = wire.startConsumer(async event => {
      wire.handled.push(event.id);
      await held;
    });
    await eventually(() => expect(wire.handled).toHaveLength(1));
    const drained = consumer.drain();
    finish();
    await drained;
    expect(wire.handled).toEqual(ids.slice(0, 1));
    expect(() => consumer.check()).toThrow('not attached');
  });

  it('the consumer reports whether it is attached', async () => {
    const consumer = wire.startConsumer();
    expect(() => consumer.check()).toThrow('compliance-audit is not attached');
    await eventually(() => consumer.check());
  });

  it('wake whoever waits', async () => {
    const gateway = await openConnection(wire.nats.loginOf('api-gateway'));
    let woken = 0;
    const unsubscribe = new NatsWakeUps(gateway).subscribe('wake.audit', () => (woken += 1));
    await gateway.flush();
    new NatsWakeUps(wire.compliance).signal('wake.audit');
    await eventually(() => expect(woken).toBe(1));
    unsubscribe();
    await gateway.flush();
    new NatsWakeUps(wire.compliance).signal('wake.audit');
    await wire.compliance.flush();
    await gateway.flush();
    expect(woken).toBe(1);
    await gateway.close();
  });
});

describe('a nats-server that is killed in the middle', () => {
  it('loses no event: all arrive after it is back, without anybody’s help', async () => {
    const wire = await Wire.open();
    const sent = Array.from({ length: 300 }, () => anEvent());
    let killed: Promise<void> | undefined;
    wire.startConsumer(async event => {
      wire.handled.push(event.id);
      if (new Set(wire.handled).size === 50) killed = wire.nats.kill();
      await killed;
    });
    const relay = wire.startRelay();
    for (const event of sent) {
      wire.outbox.unsent.push(rowOf(event));
      relay.wake();
      await wire.outbox.countUnsent();
    }
    await eventually(() => expect(killed).toBeDefined());
    const later = Array.from({ length: 50 }, () => anEvent());
    wire.outbox.unsent.push(...later.map(event => rowOf(event)));
    await killed;
    await wire.nats.start();
    await wire.untilHandled(
      [...sent, ...later].map(event => event.id),
      60_000,
    );
    await eventually(() => expect(wire.outbox.unsent).toEqual([]));
    expect(wire.letters.added).toEqual([]);
    await wire.close();
  }, 90_000);
});
