import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { AUDIT_CONSUMER, COVERAGE_CONSUMER } from '@packs/contracts';
import {
  checkMessage,
  commandServer as natsCommandServer,
  consumerCommands,
  EventConsumers,
  eventProviders,
  NatsWakeUps,
  openConnection,
  RpcErrorFilter,
  RpcTraceInterceptor,
  type EventSubscriber,
  type NatsConnection,
  type NatsSettings,
} from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import {
  assertDurable,
  createDataSource,
  DataSource,
  PostgresAuditUnitOfWork,
  PostgresCoverageUnitOfWork,
  PostgresDeadLetters,
  PostgresEventRecord,
} from '@packs/persistence';
import { AuditUnitOfWork, CoverageUnitOfWork, DeadLetters, EventRecord, WakeUps } from '@packs/ports';
import { Readiness, type ConfigOf } from '@packs/service-host';
import { AppendAudit } from './append-audit/append-audit';
import { Lifecycle, NATS_CONNECTION } from './lifecycle';
import { ProjectCoverage } from './project-coverage/project-coverage';

type Config = ConfigOf<'compliance'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [consumerCommands('compliance')],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        ...outsideParts(config),
        ...consuming(logger),
        Lifecycle,
      ],
    };
  }
}

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}

function natsSettings(config: Config): NatsSettings {
  return { process: 'compliance', url: config.natsUrl, password: config.natsPassword };
}

/** What takes events: live, from dead letters and from the record. */
function consuming(logger: Logger): Provider[] {
  return [
    {
      provide: AppendAudit,
      useFactory: (unitOfWork: AuditUnitOfWork, wakeUps: WakeUps) => new AppendAudit(unitOfWork, wakeUps, checkMessage),
      inject: [AuditUnitOfWork, WakeUps],
    },
    {
      provide: ProjectCoverage,
      useFactory: (unitOfWork: CoverageUnitOfWork) => new ProjectCoverage(unitOfWork, checkMessage),
      inject: [CoverageUnitOfWork],
    },
    ...eventProviders(
      NATS_CONNECTION,
      {
        useFactory: (audit: AppendAudit, coverage: ProjectCoverage): EventSubscriber[] => [
          {
            contract: AUDIT_CONSUMER,
            apply: event => audit.execute(event),
            applyTogether: async events => void (await audit.executeAll(events)),
          },
          {
            contract: COVERAGE_CONSUMER,
            apply: event => coverage.execute(event),
            applyTogether: async events => void (await coverage.executeAll(events)),
            rebuild: (tenant, events) => coverage.rebuild(tenant, events),
          },
        ],
        inject: [AppendAudit, ProjectCoverage],
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

function outsideParts(config: Config): Provider[] {
  return [
    {
      provide: DataSource,
      useFactory: async () => {
        const dataSource = await createDataSource({ url: config.databaseUrl, applicationName: 'compliance' }).initialize();
        await assertDurable(dataSource);
        return dataSource;
      },
    },
    { provide: NATS_CONNECTION, useFactory: () => openConnection(natsSettings(config)) },
    { provide: WakeUps, useFactory: (connection: NatsConnection) => new NatsWakeUps(connection), inject: [NATS_CONNECTION] },
    { provide: AuditUnitOfWork, useFactory: (dataSource: DataSource) => new PostgresAuditUnitOfWork(dataSource), inject: [DataSource] },
    {
      provide: CoverageUnitOfWork,
      useFactory: (dataSource: DataSource) => new PostgresCoverageUnitOfWork(dataSource),
      inject: [DataSource],
    },
    { provide: EventRecord, useFactory: (dataSource: DataSource) => new PostgresEventRecord(dataSource), inject: [DataSource] },
    {
      provide: DeadLetters,
      useFactory: (dataSource: DataSource) => new PostgresDeadLetters(dataSource, 'compliance', config.operatorTenant),
      inject: [DataSource],
    },
  ];
}
