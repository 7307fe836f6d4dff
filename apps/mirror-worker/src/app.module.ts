import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { commandServer as natsCommandServer, consumerCommands, RpcErrorFilter, RpcTraceInterceptor } from '@packs/messaging';
import { LOGGER, type Logger } from '@packs/observability';
import { Clock, SystemClock } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { CarryReferrersHandler } from './carry-referrers/carry-referrers.handler';
import { consuming } from './consuming.providers';
import { CreateMirrorHandler } from './create-mirror/create-mirror.handler';
import { DeleteMirrorHandler } from './delete-mirror/delete-mirror.handler';
import { ExportKitHandler } from './export-kit/export-kit.handler';
import { FetchArtifactHandler } from './fetch-artifact/fetch-artifact.handler';
import { kits } from './kits.providers';
import { Background, Lifecycle } from './lifecycle';
import { mirroring } from './mirroring.providers';
import { mirrorTargets } from './mirror-targets.providers';
import { natsSettings, outsideParts } from './outside.providers';
import { ReceiveKitHandler } from './receive-kit/receive-kit.handler';
import { repairing } from './repairing.providers';
import { SyncMirrorHandler } from './sync-mirror/sync-mirror.handler';
import { UpdateMirrorHandler } from './update-mirror/update-mirror.handler';

type Config = ConfigOf<'mirror-worker'>;

@Module({})
export class AppModule {
  static register(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        consumerCommands('mirror-worker'),
        CreateMirrorHandler,
        UpdateMirrorHandler,
        DeleteMirrorHandler,
        SyncMirrorHandler,
        ExportKitHandler,
        ReceiveKitHandler,
        FetchArtifactHandler,
        CarryReferrersHandler,
      ],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: APP_FILTER, useValue: new RpcErrorFilter(logger) },
        { provide: APP_INTERCEPTOR, useClass: RpcTraceInterceptor },
        { provide: Clock, useClass: SystemClock },
        ...outsideParts(config, logger),
        ...mirrorTargets(config),
        ...mirroring(config, logger),
        ...kits(config, logger),
        ...repairing(config, logger),
        ...consuming(logger),
        Background,
        Lifecycle,
      ],
    };
  }
}

export function commandServer(config: Config) {
  return natsCommandServer(natsSettings(config));
}
