import type { Provider } from '@nestjs/common';
import { PARITY_CONSUMER } from '@packs/contracts';
import { EventConsumers, eventProviders, type EventSubscriber, type NatsConnection } from '@packs/messaging';
import type { Logger } from '@packs/observability';
import { DataSource } from '@packs/persistence';
import { Readiness } from '@packs/service-host';
import { NATS_CONNECTION } from './lifecycle';
import { PlanParity } from './plan-parity/plan-parity';

/** What takes events: live, from dead letters and from the record. */
export function consuming(logger: Logger): Provider[] {
  return [
    ...eventProviders(
      NATS_CONNECTION,
      {
        // What it keeps comes from comparisons; an event says only that one is wanted.
        useFactory: (plan: PlanParity): EventSubscriber[] => [{ contract: PARITY_CONSUMER, apply: event => plan.execute(event) }],
        inject: [PlanParity],
      },
      logger,
    ),
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
