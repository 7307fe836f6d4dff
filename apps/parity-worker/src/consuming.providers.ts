import type { Provider } from '@nestjs/common';
import { PARITY_CONSUMER } from '@packs/contracts';
import { EventConsumers, ReplayDeadLetter, ReplayEvents, type EventSubscriber, type NatsConnection } from '@packs/messaging';
import type { Logger } from '@packs/observability';
import { DataSource } from '@packs/persistence';
import { DeadLetters, EventRecord } from '@packs/ports';
import { Readiness } from '@packs/service-host';
import { NATS_CONNECTION } from './lifecycle';
import { PlanParity } from './plan-parity/plan-parity';

const SUBSCRIBERS = Symbol('EventSubscribers');

/** What takes events: live, from dead letters and from the record. */
export function consuming(logger: Logger): Provider[] {
  return [
    {
      provide: SUBSCRIBERS,
      // What it keeps comes from comparisons; an event says only that one is wanted.
      useFactory: (plan: PlanParity): EventSubscriber[] => [{ contract: PARITY_CONSUMER, apply: event => plan.execute(event) }],
      inject: [PlanParity],
    },
    {
      provide: EventConsumers,
      useFactory: (connection: NatsConnection, subscribers: EventSubscriber[], deadLetters: DeadLetters) =>
        new EventConsumers(connection, subscribers, deadLetters, logger),
      inject: [NATS_CONNECTION, SUBSCRIBERS, DeadLetters],
    },
    {
      provide: ReplayDeadLetter,
      useFactory: (deadLetters: DeadLetters, subscribers: EventSubscriber[]) => new ReplayDeadLetter(deadLetters, subscribers),
      inject: [DeadLetters, SUBSCRIBERS],
    },
    {
      provide: ReplayEvents,
      useFactory: (record: EventRecord, subscribers: EventSubscriber[]) => new ReplayEvents(record, subscribers),
      inject: [EventRecord, SUBSCRIBERS],
    },
    {
      provide: Readiness,
      useFactory: (dataSource: DataSource, connection: NatsConnection, consumers: EventConsumers) =>
        new Readiness([
          { name: 'postgresql', check: () => dataSource.query('select 1') },
          { name: 'nats', check: () => connection.rtt() },
          ...consumers.checks(),
        ]),
      inject: [DataSource, NATS_CONNECTION, EventConsumers],
    },
  ];
}
