import type { Provider } from '@nestjs/common';
import { EventStream, openConnection, OutboxRelay, type NatsConnection, type NatsSettings } from '@packs/messaging';
import { currentTraceparent, type Logger } from '@packs/observability';
import {
  assertDurable,
  createDataSource,
  DataSource,
  PostgresDeadLetters,
  PostgresEventRecord,
  PostgresMirrorReadModel,
  PostgresOutboxQueue,
  PostgresPackInventory,
  PostgresParityQueue,
  PostgresParityUnitOfWork,
} from '@packs/persistence';
import { DeadLetters, EventRecord, MirrorReadModel, OutboxQueue, PackInventory, ParityQueue, ParityUnitOfWork } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { NATS_CONNECTION } from './lifecycle';

type Config = ConfigOf<'parity-worker'>;

export function natsSettings(config: Config): NatsSettings {
  return { process: 'parity-worker', url: config.natsUrl, password: config.natsPassword };
}

/** Database, bus and mirrors: where ports meet their adapters. */
export function outsideParts(config: Config, logger: Logger): Provider[] {
  const onDatabase = <T>(provide: abstract new () => T, make: (dataSource: DataSource) => T): Provider => ({
    provide,
    useFactory: make,
    inject: [DataSource],
  });
  return [
    {
      provide: DataSource,
      useFactory: async () => {
        const dataSource = await createDataSource({ url: config.databaseUrl, applicationName: 'parity-worker' }).initialize();
        await assertDurable(dataSource);
        return dataSource;
      },
    },
    { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
    onDatabase(PackInventory, dataSource => new PostgresPackInventory(dataSource)),
    onDatabase(ParityUnitOfWork, dataSource => new PostgresParityUnitOfWork(dataSource)),
    onDatabase(MirrorReadModel, dataSource => new PostgresMirrorReadModel(dataSource)),
    onDatabase(EventRecord, dataSource => new PostgresEventRecord(dataSource)),
    onDatabase(OutboxQueue, dataSource => new PostgresOutboxQueue(dataSource, 'parity')),
    onDatabase(DeadLetters, dataSource => new PostgresDeadLetters(dataSource, 'parity', config.operatorTenant)),
    {
      provide: OutboxRelay,
      useFactory: (queue: OutboxQueue, connection: NatsConnection) => {
        // The publisher makes the stream; until it is there, events wait in the outbox.
        const stream = new EventStream(connection, 1);
        return new OutboxRelay(queue, rows => stream.publish(rows), logger);
      },
      inject: [OutboxQueue, NATS_CONNECTION],
    },
    {
      provide: ParityQueue,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) =>
        new PostgresParityQueue(dataSource, { committed: () => relay.wake(), traceparent: currentTraceparent }),
      inject: [DataSource, OutboxRelay],
    },
  ];
}
