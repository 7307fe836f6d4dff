import type { FactoryProvider, Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { DeadLetters, EventRecord } from '@packs/ports';
import type { NatsConnection } from 'nats';
import { EventConsumers } from './event-consumers';
import type { EventSubscriber } from './event-subscriber';
import { ReplayDeadLetter } from './replay-dead-letter';
import { ReplayEvents } from './replay-events';

const SUBSCRIBERS = Symbol('EventSubscribers');

/**
 * What takes events in a process: live, from dead letters and from the record.
 * @param connection the token of its connection
 * @param subscribers what makes its subscribers
 */
export function eventProviders(
  connection: symbol,
  subscribers: Pick<FactoryProvider<EventSubscriber[]>, 'useFactory' | 'inject'>,
  logger: Logger,
): Provider[] {
  return [
    { provide: SUBSCRIBERS, ...subscribers },
    {
      provide: EventConsumers,
      useFactory: (nats: NatsConnection, all: EventSubscriber[], deadLetters: DeadLetters) =>
        new EventConsumers(nats, all, deadLetters, logger),
      inject: [connection, SUBSCRIBERS, DeadLetters],
    },
    {
      provide: ReplayDeadLetter,
      useFactory: (deadLetters: DeadLetters, all: EventSubscriber[]) => new ReplayDeadLetter(deadLetters, all),
      inject: [DeadLetters, SUBSCRIBERS],
    },
    {
      provide: ReplayEvents,
      useFactory: (record: EventRecord, all: EventSubscriber[]) => new ReplayEvents(record, all),
      inject: [EventRecord, SUBSCRIBERS],
    },
  ];
}
