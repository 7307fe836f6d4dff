import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { commandServer as natsCommandServer, consumerCommands, RpcErrorFilter, RpcTraceInterceptor } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { Clock, SystemClock } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { CheckParityHandler } from './check-parity/check-parity.handler';
import { comparing } from './comparing.providers';
import { consuming } from './consuming.providers';
import { Lifecycle } from './lifecycle';
import { mirrorTargets } from './mirror-targets.providers';
import { natsSettings, outsideParts } from './outside.providers';

type Config = ConfigOf<'parity-worker'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [consumerCommands('parity-worker'), CheckParityHandler],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        { provide: Clock, useClass: SystemClock },
        ...outsideParts(config, logger),
        ...mirrorTargets(config),
        ...comparing(config, logger),
        ...consuming(logger),
        Lifecycle,
      ],
    };
  }
}

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}
