import {
  Inject,
  Injectable,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import multipart from '@fastify/multipart';
import { JoseProofVerifier, JoseRegistryTokens, JoseTokenVerifier, OidcClientCredentials } from '@packs/auth';
import { NatsCommandBus, NatsWakeUps, openConnection, type NatsConnection, type NatsSettings } from '@packs/messaging';
import { openReportingBlobStore } from '@packs/object-storage';
import { LOGGER, type Logger } from '@packs/observability';
import {
  assertDurable,
  createDataSource,
  DataSource,
  PostgresAttestationReadModel,
  PostgresReverificationReadModel,
  PostgresSignatureReadModel,
  PostgresAuditReadModel,
  PostgresChannelReadModel,
  PostgresComplianceReadModel,
  PostgresContentCatalog,
  PostgresGenericContent,
  PostgresKitReadModel,
  PostgresMirrorReadModel,
  PostgresNamespacePolicies,
  PostgresParityReadModel,
  PostgresPackReadModel,
  PostgresReadChanges,
  PostgresRepositoryReadModel,
  PostgresScanReportReadModel,
  PostgresSealReadModel,
  PostgresTrustReadModel,
  PostgresUsedProofs,
} from '@packs/persistence';
import {
  AttestationReadModel,
  ReverificationReadModel,
  SignatureReadModel,
  AuditReadModel,
  BlobStore,
  ChannelReadModel,
  ClientCredentials,
  Clock,
  CommandBus,
  ComplianceReadModel,
  ContentCatalog,
  GenericContent,
  KitReadModel,
  MirrorReadModel,
  NamespacePolicies,
  ParityReadModel,
  PackReadModel,
  ProofVerifier,
  ReadChanges,
  RegistryTokens,
  RepairingCatalog,
  RepositoryReadModel,
  ScanReportReadModel,
  SealReadModel,
  SystemClock,
  TokenVerifier,
  TrustReadModel,
  UploadSessions,
  UsedProofs,
  WakeUps,
} from '@packs/ports';
import { ATTESTATION_MEDIA_TYPES, MEDIA_TYPES } from '@packs/domain';
import { Readiness, Recurring, type ConfigOf } from '@packs/service-host';
import { attestingProviders } from './attesting.providers';
import { CONTROLLERS } from './controllers';
import { authenticate } from './http/authenticate';
import { ScopeGuard } from './http/access';
import { ProblemFilter } from './http/problem-filter';
import { CurrentSeal, refuseWhenSealed } from './http/sealed-mode';
import { validation } from './http/validation';
import { IssueToken } from './oci/auth/issue-token';
import { tokenProviders } from './oci/auth/providers';
import { publicUrl, TOKEN_PATH, TOKEN_SERVICE } from './oci/auth/public-url';
import { OciAuthenticator } from './oci/caller';
import { OciErrors } from './oci/errors';
import { ociPlugin, type OciEndpoints } from './oci/plugin';
import { tokenRoutes } from './oci/auth/token-routes';
import { buildOpenApi } from './openapi';
import { KitReceiver } from './rest/imports/receive-kit';
import { ClientConfig } from './rest/client-config/client-config.controller';
import { AttestationReceiver } from './rest/attestations/receive-attestation';
import { BundleReceiver } from './rest/publish-pack/receive-bundle';
import { OCI_ENDPOINTS, ociProviders } from './oci/providers';
import { ReadBarrier } from './oci/reading/read-barrier';
import { SweepUploads } from './oci/uploads/sweep-uploads';
import { EventFeed } from './rest/stream-events/event-feed';
import { MAX_EVENT_STREAMS } from './rest/stream-events/stream-events.controller';
import { BundleSender } from './serving/send-bundle';
import { ServableVersions } from './serving/servable-versions';
import { RepairingUploadSessions } from './storing/repairing-upload-sessions';

type Config = ConfigOf<'api-gateway'>;
const NATS_CONNECTION = Symbol('NatsConnection');
const UPKEEP = Symbol('Upkeep');
/** Room for the 16 MiB bundle that `POST /packs` takes as base64. */
const JSON_MAX_BYTES = 24 * 1024 * 1024;

@Injectable()
class Lifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly feed: EventFeed,
    @Inject(UPKEEP) private readonly upkeep: readonly Recurring[],
    private readonly barrier: ReadBarrier,
    private readonly commands: CommandBus,
    private readonly dataSource: DataSource,
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
  ) {}

  onApplicationBootstrap(): void {
    for (const recurring of this.upkeep) recurring.start();
  }

  /** Event streams would keep the server open for ever. */
  beforeApplicationShutdown(): void {
    this.feed.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.upkeep.map(recurring => recurring.drain()));
    if (this.commands instanceof NatsCommandBus) await this.commands.close();
    await this.connection.drain();
    this.barrier.close();
    await this.dataSource.destroy();
  }
}

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_GUARD, useClass: ScopeGuard },
        { provide: APP_PIPE, useValue: validation },
        { provide: APP_FILTER, useValue: new ProblemFilter(logger) },
        ...outsideParts(config, logger),
        ...parts(config, logger),
        ...attestingProviders,
        ...tokenProviders(config),
        ...ociProviders(config, logger),
        {
          provide: UPKEEP,
          useFactory: (uploads: SweepUploads, proofs: UsedProofs) => [
            new Recurring('abandoned uploads cleared away', signal => uploads.execute(signal), logger),
            new Recurring('proofs that are out of date forgotten', () => proofs.sweep(), logger),
          ],
          inject: [SweepUploads, UsedProofs],
        },
        Lifecycle,
      ],
    };
  }
}

/** The HTTP side beneath Nest: who is asking comes first, and bundles are streamed, never buffered. */
export async function prepare(app: NestFastifyApplication, config: Config, logger: Logger): Promise<void> {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', authenticate(app.get(TokenVerifier)));
  server.addHook('onRequest', refuseWhenSealed(app.get(CurrentSeal)));
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: JSON_MAX_BYTES },
    server.getDefaultJsonParser('error', 'error'),
  );
  for (const type of [MEDIA_TYPES.packBundle, 'application/gzip', ...ATTESTATION_MEDIA_TYPES])
    server.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
  await app.register(multipart);
  await app.register(tokenRoutes, { issueToken: app.get<IssueToken>(IssueToken), configuredUrl: config.publicUrl, logger });
  const realmOf = (request: FastifyRequest) => `${publicUrl(request, config.publicUrl)}${TOKEN_PATH}`;
  await app.register(ociPlugin, {
    authenticator: app.get<OciAuthenticator>(OciAuthenticator),
    seals: app.get<CurrentSeal>(CurrentSeal),
    errors: new OciErrors({ service: TOKEN_SERVICE, realmOf }, logger),
    endpoints: app.get<OciEndpoints>(OCI_ENDPOINTS),
  });
  let description: object | undefined;
  server.get('/api/openapi.json', () => (description ??= buildOpenApi(app)));
}

function natsSettings(config: Config): NatsSettings {
  return { process: 'api-gateway', url: config.natsUrl, password: config.natsPassword };
}

function outsideParts(config: Config, logger: Logger): Provider[] {
  const onDatabase = <T>(provide: abstract new () => T, make: (dataSource: DataSource) => T): Provider => ({
    provide,
    useFactory: make,
    inject: [DataSource],
  });
  return [
    {
      provide: DataSource,
      useFactory: async () => {
        const dataSource = await createDataSource({ url: config.databaseUrl, applicationName: 'api-gateway' }).initialize();
        await assertDurable(dataSource);
        return dataSource;
      },
    },
    onDatabase(PackReadModel, dataSource => new PostgresPackReadModel(dataSource)),
    onDatabase(RepositoryReadModel, dataSource => new PostgresRepositoryReadModel(dataSource)),
    { provide: ReadChanges, useFactory: () => new PostgresReadChanges(config.databaseUrl, 'api-gateway') },
    onDatabase(ChannelReadModel, dataSource => new PostgresChannelReadModel(dataSource)),
    onDatabase(AttestationReadModel, dataSource => new PostgresAttestationReadModel(dataSource)),
    onDatabase(SignatureReadModel, dataSource => new PostgresSignatureReadModel(dataSource)),
    onDatabase(ReverificationReadModel, dataSource => new PostgresReverificationReadModel(dataSource)),
    onDatabase(ComplianceReadModel, dataSource => new PostgresComplianceReadModel(dataSource)),
    onDatabase(ParityReadModel, dataSource => new PostgresParityReadModel(dataSource)),
    onDatabase(MirrorReadModel, dataSource => new PostgresMirrorReadModel(dataSource)),
    onDatabase(KitReadModel, dataSource => new PostgresKitReadModel(dataSource)),
    onDatabase(AuditReadModel, dataSource => new PostgresAuditReadModel(dataSource)),
    onDatabase(SealReadModel, dataSource => new PostgresSealReadModel(dataSource)),
    onDatabase(TrustReadModel, dataSource => new PostgresTrustReadModel(dataSource)),
    onDatabase(ScanReportReadModel, dataSource => new PostgresScanReportReadModel(dataSource)),
    onDatabase(NamespacePolicies, dataSource => new PostgresNamespacePolicies(dataSource)),
    onDatabase(UsedProofs, dataSource => new PostgresUsedProofs(dataSource)),
    onDatabase(GenericContent, dataSource => new PostgresGenericContent(dataSource, config.sealed)),
    {
      provide: UploadSessions,
      useFactory: (dataSource: DataSource, commands: CommandBus) => new RepairingUploadSessions(dataSource, commands),
      inject: [DataSource, CommandBus],
    },
    {
      provide: ContentCatalog,
      useFactory: (dataSource: DataSource, commands: CommandBus) => new RepairingCatalog(new PostgresContentCatalog(dataSource), commands),
      inject: [DataSource, CommandBus],
    },
    { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
    { provide: CommandBus, useFactory: () => new NatsCommandBus(natsSettings(config)) },
    { provide: WakeUps, useFactory: (connection: NatsConnection) => new NatsWakeUps(connection), inject: [NATS_CONNECTION] },
    {
      provide: BlobStore,
      useFactory: (commands: CommandBus) => openReportingBlobStore(config, commands, 'api-gateway', logger),
      inject: [CommandBus],
    },
    { provide: TokenVerifier, useFactory: () => new JoseTokenVerifier(config) },
    { provide: ClientCredentials, useFactory: () => new OidcClientCredentials(config.issuer) },
    { provide: RegistryTokens, useFactory: (clock: Clock) => JoseRegistryTokens.open(config.tokenKeyFile, clock), inject: [Clock] },
    { provide: ProofVerifier, useFactory: (clock: Clock) => new JoseProofVerifier(clock), inject: [Clock] },
    { provide: Clock, useClass: SystemClock },
  ];
}

function parts(config: Config, logger: Logger): Provider[] {
  return [
    { provide: ClientConfig, useValue: { issuer: config.issuer, audience: config.audience } },
    { provide: MAX_EVENT_STREAMS, useValue: config.maxEventStreams },
    {
      provide: CurrentSeal,
      useFactory: (seals: SealReadModel, clock: Clock) => new CurrentSeal(seals, clock, config.sealed),
      inject: [SealReadModel, Clock],
    },
    {
      provide: ServableVersions,
      useFactory: (packs: PackReadModel, commands: CommandBus, clock: Clock) => new ServableVersions(packs, commands, clock),
      inject: [PackReadModel, CommandBus, Clock],
    },
    {
      provide: AttestationReceiver,
      useFactory: (blobs: BlobStore, catalog: ContentCatalog) => new AttestationReceiver(blobs, catalog),
      inject: [BlobStore, ContentCatalog],
    },
    { provide: BundleSender, useFactory: (blobs: BlobStore) => new BundleSender(blobs, logger), inject: [BlobStore] },
    {
      provide: BundleReceiver,
      useFactory: (blobs: BlobStore, catalog: ContentCatalog) => new BundleReceiver(blobs, catalog, config.maxBundleBytes),
      inject: [BlobStore, ContentCatalog],
    },
    { provide: KitReceiver, useFactory: (blobs: BlobStore) => new KitReceiver(blobs, config.maxKitBytes), inject: [BlobStore] },
    {
      provide: EventFeed,
      useFactory: (audit: AuditReadModel, wakeUps: WakeUps) => new EventFeed(audit, wakeUps),
      inject: [AuditReadModel, WakeUps],
    },
    {
      provide: Readiness,
      useFactory: (dataSource: DataSource, connection: NatsConnection, blobs: BlobStore, tokens: TokenVerifier) =>
        new Readiness([
          { name: 'postgresql', check: () => dataSource.query('select 1') },
          { name: 'nats', check: () => connection.rtt() },
          { name: 'blob-store', check: () => blobs.check() },
          { name: 'authority', check: () => tokens.check() },
        ]),
      inject: [DataSource, NATS_CONNECTION, BlobStore, TokenVerifier],
    },
  ];
}
