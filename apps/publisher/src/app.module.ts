import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import {
  commandServer as natsCommandServer,
  EventStream,
  NatsCommandBus,
  openConnection,
  OutboxRelay,
  RpcErrorFilter,
  RpcTraceInterceptor,
  type NatsSettings,
} from '@packs/messaging';
import { FileBlobStore } from '@packs/object-storage';
import { currentTraceparent, LOGGER, type Logger } from '@packs/observability';
import { assertDurable, createDataSource, DataSource, PostgresOutboxQueue, PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus, OutboxQueue, RegistryUnitOfWork, SystemClock } from '@packs/ports';
import { Readiness, type ConfigOf } from '@packs/service-host';
import { DeprecateVersion } from './deprecate-version/deprecate-version';
import { DeprecateVersionHandler } from './deprecate-version/deprecate-version.handler';
import { PublishPack } from './publish-pack/publish-pack';
import { PublishPackHandler } from './publish-pack/publish-pack.handler';
import { Lifecycle, NATS_CONNECTION, type NatsConnection } from './lifecycle';
import { UpdatePolicy } from './update-policy/update-policy';
import { UpdatePolicyHandler } from './update-policy/update-policy.handler';
import { UpdateTrust } from './update-trust/update-trust';
import { UpdateTrustHandler } from './update-trust/update-trust.handler';
import { UpdateVisibility } from './update-visibility/update-visibility';
import { UpdateVisibilityHandler } from './update-visibility/update-visibility.handler';

type Config = ConfigOf<'publisher'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [PublishPackHandler, DeprecateVersionHandler, UpdateTrustHandler, UpdatePolicyHandler, UpdateVisibilityHandler],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        { provide: Clock, useClass: SystemClock },
        ...outsideParts(config, logger),
        {
          provide: PublishPack,
          useFactory: (...parts: ConstructorParameters<typeof PublishPack>) => new PublishPack(...parts),
          inject: [RegistryUnitOfWork, CommandBus, BlobStore, Clock],
        },
        ...[DeprecateVersion, UpdateTrust, UpdatePolicy, UpdateVisibility].map(useCase => ({
          provide: useCase,
          useFactory: (unitOfWork: RegistryUnitOfWork, clock: Clock) => new useCase(unitOfWork, clock),
          inject: [RegistryUnitOfWork, Clock],
        })),
        Lifecycle,
      ],
    };
  }
}

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}

function natsSettings(config: Config): NatsSettings {
  return { process: 'publisher', url: config.natsUrl, password: config.natsPassword };
}

/** Database, bus and bytes: where ports meet their adapters. */
function outsideParts(config: Config, logger: Logger): Provider[] {
  return [
    {
      provide: DataSource,
      useFactory: async () => {
        const dataSource = await createDataSource({ url: config.databaseUrl, applicationName: 'publisher' }).initialize();
        await assertDurable(dataSource);
        return dataSource;
      },
    },
    { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
    {
      provide: EventStream,
      useFactory: (connection: NatsConnection) => new EventStream(connection, config.streamReplicas),
      inject: [NATS_CONNECTION],
    },
    { provide: CommandBus, useFactory: () => new NatsCommandBus(natsSettings(config)) },
    { provide: BlobStore, useFactory: () => FileBlobStore.open(new URL(config.blobStore).pathname) },
    { provide: OutboxQueue, useFactory: (dataSource: DataSource) => new PostgresOutboxQueue(dataSource, 'registry'), inject: [DataSource] },
    {
      provide: OutboxRelay,
      useFactory: (queue: OutboxQueue, stream: EventStream) => new OutboxRelay(queue, rows => stream.publish(rows), logger),
      inject: [OutboxQueue, EventStream],
    },
    {
      provide: RegistryUnitOfWork,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) =>
        new PostgresRegistryUnitOfWork(dataSource, { committed: () => relay.wake(), traceparent: currentTraceparent }),
      inject: [DataSource, OutboxRelay],
    },
    {
      provide: Readiness,
      useFactory: (dataSource: DataSource, connection: NatsConnection, blobs: BlobStore) =>
        new Readiness([
          { name: 'postgresql', check: () => dataSource.query('select 1') },
          { name: 'nats', check: () => connection.rtt() },
          { name: 'blob-store', check: () => blobs.check() },
        ]),
      inject: [DataSource, NATS_CONNECTION, BlobStore],
    },
  ];
}
