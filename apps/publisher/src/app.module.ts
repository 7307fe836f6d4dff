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
import { currentTraceparent, LOGGER, type Logger } from '@packs/observability';
import { assertDurable, createDataSource, DataSource, PostgresOutboxQueue, PostgresRegistryUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus, OutboxQueue, RegistryUnitOfWork, SystemClock, unsealedOnly } from '@packs/ports';
import { Readiness, type ConfigOf } from '@packs/service-host';
import { AddAttestation } from './add-attestation/add-attestation';
import { AddAttestationHandler } from './add-attestation/add-attestation.handler';
import { ApproveUnseal } from './approve-unseal/approve-unseal';
import { ApproveUnsealHandler } from './approve-unseal/approve-unseal.handler';
import { ArchiveVersion } from './archive-version/archive-version';
import { ArchiveVersionHandler } from './archive-version/archive-version.handler';
import { CONTENT_HANDLERS, keepingContent } from './content.providers';
import { DeprecateVersion } from './deprecate-version/deprecate-version';
import { DeprecateVersionHandler } from './deprecate-version/deprecate-version.handler';
import { PromoteVersion } from './promote-version/promote-version';
import { PromoteVersionHandler } from './promote-version/promote-version.handler';
import { PublishPackHandler } from './publish-pack/publish-pack.handler';
import { ImportKitHandler } from './import-kit/import-kit.handler';
import { importing } from './import-kit/import-kit.providers';
import { DeleteContentHandler } from './delete-content/delete-content.handler';
import { PutManifestHandler } from './put-manifest/put-manifest.handler';
import { publishing } from './put-manifest/put-manifest.providers';
import { Lifecycle, NATS_CONNECTION, type NatsConnection } from './lifecycle';
import { RotateTrustHandler } from './rotate-trust/rotate-trust.handler';
import { UpdateChannel } from './update-channel/update-channel';
import { UpdateChannelHandler } from './update-channel/update-channel.handler';
import { UpdateExporters } from './update-exporters/update-exporters';
import { UpdateExportersHandler } from './update-exporters/update-exporters.handler';
import { UpdatePolicy } from './update-policy/update-policy';
import { UpdatePolicyHandler } from './update-policy/update-policy.handler';
import { UpdateSeal } from './update-seal/update-seal';
import { UpdateSealHandler } from './update-seal/update-seal.handler';
import { UpdateTrust } from './update-trust/update-trust';
import { UpdateTrustHandler } from './update-trust/update-trust.handler';
import { UpdateVisibility } from './update-visibility/update-visibility';
import { UpdateVisibilityHandler } from './update-visibility/update-visibility.handler';
import { keepingTrust } from './watch-trust/watch-trust.providers';

type Config = ConfigOf<'publisher'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        PublishPackHandler,
        PutManifestHandler,
        DeleteContentHandler,
        PromoteVersionHandler,
        DeprecateVersionHandler,
        ArchiveVersionHandler,
        AddAttestationHandler,
        UpdateChannelHandler,
        UpdateTrustHandler,
        RotateTrustHandler,
        UpdatePolicyHandler,
        UpdateVisibilityHandler,
        ImportKitHandler,
        UpdateSealHandler,
        ApproveUnsealHandler,
        UpdateExportersHandler,
        ...CONTENT_HANDLERS,
      ],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        { provide: Clock, useClass: SystemClock },
        ...outsideParts(config, logger),
        ...keepingContent(config, logger),
        ...publishing(config, logger),
        ...keepingTrust(config, logger),
        {
          provide: AddAttestation,
          useFactory: (...parts: ConstructorParameters<typeof AddAttestation>) => new AddAttestation(...parts),
          inject: [RegistryUnitOfWork, CommandBus, BlobStore, Clock],
        },
        {
          provide: PromoteVersion,
          useFactory: (...parts: ConstructorParameters<typeof PromoteVersion>) => new PromoteVersion(...parts),
          inject: [RegistryUnitOfWork, CommandBus, Clock],
        },
        ...[DeprecateVersion, ArchiveVersion, UpdateChannel, UpdateTrust, UpdatePolicy, UpdateVisibility, UpdateExporters].map(useCase => ({
          provide: useCase,
          useFactory: (unitOfWork: RegistryUnitOfWork, clock: Clock) => new useCase(unitOfWork, clock),
          inject: [RegistryUnitOfWork, Clock],
        })),
        ...importing(config),
        ...[UpdateSeal, ApproveUnseal].map(useCase => ({
          provide: useCase,
          useFactory: (unitOfWork: PostgresRegistryUnitOfWork, clock: Clock) => new useCase(unitOfWork, clock, config.sealed),
          inject: [PostgresRegistryUnitOfWork, Clock],
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
    { provide: OutboxQueue, useFactory: (dataSource: DataSource) => new PostgresOutboxQueue(dataSource, 'registry'), inject: [DataSource] },
    {
      provide: OutboxRelay,
      useFactory: (queue: OutboxQueue, stream: EventStream) => new OutboxRelay(queue, rows => stream.publish(rows), logger),
      inject: [OutboxQueue, EventStream],
    },
    {
      // What changes a sealed registry asks for this one by name; everybody else gets the one above it.
      provide: PostgresRegistryUnitOfWork,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) =>
        new PostgresRegistryUnitOfWork(dataSource, { committed: () => relay.wake(), traceparent: currentTraceparent }),
      inject: [DataSource, OutboxRelay],
    },
    {
      provide: RegistryUnitOfWork,
      useFactory: (beneath: PostgresRegistryUnitOfWork): RegistryUnitOfWork => unsealedOnly(beneath, config.sealed),
      inject: [PostgresRegistryUnitOfWork],
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
