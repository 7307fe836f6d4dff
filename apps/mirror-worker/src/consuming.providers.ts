import type { Provider } from '@nestjs/common';
import { BlobQuarantined, MIRROR_CONSUMER } from '@packs/contracts';
import { EventConsumers, eventProviders, type EventSubscriber, type NatsConnection } from '@packs/messaging';
import type { Logger } from '@packs/observability';
import { DataSource, PostgresMirrorUnitOfWork } from '@packs/persistence';
import { BlobStore, PackInventory } from '@packs/ports';
import { Readiness } from '@packs/service-host';
import { NATS_CONNECTION } from './lifecycle';
import { PlanMirrors } from './plan-mirrors/plan-mirrors';
import { PlanRepair } from './repair-blob/plan-repair';
import { JobLoop } from './work-jobs/job-loop';

/** What takes events: live, from dead letters and from the record. */
export function consuming(logger: Logger): Provider[] {
  return [
    {
      provide: PlanMirrors,
      useFactory: (unitOfWork: PostgresMirrorUnitOfWork, inventory: PackInventory, jobs: JobLoop) =>
        new PlanMirrors(unitOfWork, inventory, () => jobs.wake()),
      inject: [PostgresMirrorUnitOfWork, PackInventory, JobLoop],
    },
    ...eventProviders(
      NATS_CONNECTION,
      {
        // Its effect is outside, at the mirrors: there is nothing here to rebuild.
        useFactory: (plan: PlanMirrors, repair: PlanRepair): EventSubscriber[] => [
          {
            contract: MIRROR_CONSUMER,
            apply: event => (event.type === BlobQuarantined.type ? repair.execute(event) : plan.execute(event)),
          },
        ],
        inject: [PlanMirrors, PlanRepair],
      },
      logger,
    ),
    {
      provide: Readiness,
      useFactory: (dataSource: DataSource, connection: NatsConnection, blobs: BlobStore, consumers: EventConsumers) =>
        new Readiness([
          { name: 'postgresql', check: () => dataSource.query('select 1') },
          { name: 'nats', check: () => connection.rtt() },
          { name: 'blob-store', check: () => blobs.check() },
          ...consumers.checks(),
        ]),
      inject: [DataSource, NATS_CONNECTION, BlobStore, EventConsumers],
    },
  ];
}
