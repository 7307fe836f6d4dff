import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { AUDIT_CONSUMER } from '@packs/contracts';
import {
  checkMessage,
  commandServer as natsCommandServer,
  EventConsumer,
  NatsWakeUps,
  openConnection,
  readEvent,
  RpcErrorFilter,
  RpcTraceInterceptor,
  type NatsConnection,
  type NatsSettings,
} from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { assertDurable, createDataSource, DataSource, PostgresAuditUnitOfWork, PostgresDeadLetters } from '@packs/persistence';
import { AuditUnitOfWork, DeadLetters, WakeUps } from '@packs/ports';
import { Readiness, type ConfigOf } from '@packs/service-host';
import { AppendAudit } from './append-audit/append-audit';
import { Lifecycle, NATS_CONNECTION } from './lifecycle';
import { ListDeadLettersHandler } from './list-dead-letters/list-dead-letters.handler';
import { ReplayDeadLetter } from './replay-dead-letter/replay-dead-letter';
import { ReplayDeadLetterHandler } from './replay-dead-letter/replay-dead-letter.handler';

type Config = ConfigOf<'compliance'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [ListDeadLettersHandler, ReplayDeadLetterHandler],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        ...outsideParts(config),
        {
          provide: AppendAudit,
          useFactory: (unitOfWork: AuditUnitOfWork, wakeUps: WakeUps) => new AppendAudit(unitOfWork, wakeUps, checkMessage),
          inject: [AuditUnitOfWork, WakeUps],
        },
        {
          provide: ReplayDeadLetter,
          useFactory: (deadLetters: DeadLetters, appendAudit: AppendAudit) => new ReplayDeadLetter(deadLetters, appendAudit, readEvent),
          inject: [DeadLetters, AppendAudit],
        },
        {
          provide: EventConsumer,
          useFactory: (connection: NatsConnection, appendAudit: AppendAudit, deadLetters: DeadLetters) =>
            new EventConsumer(connection, AUDIT_CONSUMER, event => appendAudit.execute(event), deadLetters, logger),
          inject: [NATS_CONNECTION, AppendAudit, DeadLetters],
        },
        {
          provide: Readiness,
          useFactory: (dataSource: DataSource, connection: NatsConnection, consumer: EventConsumer) =>
            new Readiness([
              { name: 'postgresql', check: () => dataSource.query('select 1') },
              { name: 'nats', check: () => connection.rtt() },
              { name: AUDIT_CONSUMER.name, check: () => consumer.check() },
            ]),
          inject: [DataSource, NATS_CONNECTION, EventConsumer],
        },
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
      provide: DeadLetters,
      useFactory: (dataSource: DataSource) => new PostgresDeadLetters(dataSource, 'compliance', config.operatorTenant),
      inject: [DataSource],
    },
  ];
}
