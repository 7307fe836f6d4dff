import type { Provider } from '@nestjs/common';
import { EventStream, NatsCommandBus, openConnection, OutboxRelay, type NatsConnection, type NatsSettings } from '@packs/messaging';
import { openReportingBlobStore } from '@packs/object-storage';
import { currentTraceparent, type Logger } from '@packs/observability';
import {
  assertDurable,
  createDataSource,
  DataSource,
  PostgresDeadLetters,
  PostgresEventRecord,
  PostgresMirrorQueue,
  PostgresMirrorUnitOfWork,
  PostgresOutboxQueue,
  PostgresPackInventory,
} from '@packs/persistence';
import {
  BlobStore,
  CommandBus,
  DeadLetters,
  EventRecord,
  MirrorQueue,
  MirrorUnitOfWork,
  OutboxQueue,
  PackInventory,
  unsealedOnly,
} from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { NATS_CONNECTION } from './lifecycle';

type Config = ConfigOf<'mirror-worker'>;

export function natsSettings(config: Config): NatsSettings {
  return { process: 'mirror-worker', url: config.natsUrl, password: config.natsPassword };
}

/** Database, bus, bytes and mirrors: where ports meet their adapters. */
export function outsideParts(config: Config, logger: Logger): Provider[] {
  const onDatabase = <T>(provide: abstract new () => T, make: (dataSource: DataSource) => T): Provider => ({
    provide,
    useFactory: make,
    inject: [DataSource],
  });
  const hooksOf = (relay: OutboxRelay) => ({ committed: () => relay.wake(), traceparent: currentTraceparent });
  return [
    {
      provide: DataSource,
      useFactory: async () => {
        const dataSource = await createDataSource({ url: config.databaseUrl, applicationName: 'mirror-worker' }).initialize();
        await assertDurable(dataSource);
        return dataSource;
      },
    },
    { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
    { provide: CommandBus, useFactory: () => new NatsCommandBus(natsSettings(config)) },
    {
      provide: BlobStore,
      useFactory: (commands: CommandBus) => openReportingBlobStore(config, commands, 'mirror-worker', logger),
      inject: [CommandBus],
    },
    onDatabase(PackInventory, dataSource => new PostgresPackInventory(dataSource)),
    onDatabase(EventRecord, dataSource => new PostgresEventRecord(dataSource)),
    onDatabase(OutboxQueue, dataSource => new PostgresOutboxQueue(dataSource, 'mirror')),
    onDatabase(DeadLetters, dataSource => new PostgresDeadLetters(dataSource, 'mirror', config.operatorTenant)),
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
      // Syncs by event and schedule are upkeep and go on in a sealed registry; clients' changes get the one above it.
      provide: PostgresMirrorUnitOfWork,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) => new PostgresMirrorUnitOfWork(dataSource, hooksOf(relay)),
      inject: [DataSource, OutboxRelay],
    },
    {
      provide: MirrorUnitOfWork,
      useFactory: (beneath: PostgresMirrorUnitOfWork): MirrorUnitOfWork => unsealedOnly(beneath, config.sealed),
      inject: [PostgresMirrorUnitOfWork],
    },
    {
      provide: MirrorQueue,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) => new PostgresMirrorQueue(dataSource, hooksOf(relay)),
      inject: [DataSource, OutboxRelay],
    },
  ];
}
