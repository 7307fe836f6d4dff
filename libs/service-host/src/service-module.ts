import type { DynamicModule } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { PROCESS_SETTINGS, Values } from '@packs/config';
import type { ProcessName } from '@packs/contracts';
import type { Logger } from '@packs/observability';

export type ConfigOf<P extends ProcessName> = Values<(typeof PROCESS_SETTINGS)[P]>;
/** The settings every process has. */
export type HostConfig = Pick<ConfigOf<ProcessName>, 'host' | 'port' | 'logLevel' | 'otlpEndpoint' | 'sealed'> & {
  /** Other processes of the machine may listen on the same port. */
  readonly reusePort?: boolean;
  /** Health and metrics of this process alone. */
  readonly healthPort?: number;
};

/** What a process's `app.module.ts` exports. */
export interface ServiceModule<P extends ProcessName> {
  readonly AppModule: { register(config: ConfigOf<P>, logger: Logger): DynamicModule };
  /** The NATS server side of a process that answers commands. */
  readonly commandServer?: (config: ConfigOf<P>) => MicroserviceOptions;
  /** Further preparation of the HTTP side. */
  readonly prepare?: (app: NestFastifyApplication, config: ConfigOf<P>, logger: Logger) => void | Promise<void>;
}
