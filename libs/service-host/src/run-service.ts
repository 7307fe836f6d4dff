import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError, PROCESS_SETTINGS, readSettings, type Values } from '@packs/config';
import type { ProcessName } from '@packs/contracts';
import { collectProcessMetrics, createLogger, NestLogger, startTracing, type Logger } from '@packs/observability';
import { registerOperationsRoutes } from './operations-routes';
import { Readiness } from './readiness';

export type ConfigOf<P extends ProcessName> = Values<(typeof PROCESS_SETTINGS)[P]>;
/** The settings every process has. */
type HostConfig = Pick<ConfigOf<ProcessName>, 'host' | 'port' | 'logLevel' | 'otlpEndpoint'>;

/** What a process's `app.module.ts` exports. */
export interface ServiceModule<P extends ProcessName> {
  readonly AppModule: { register(config: ConfigOf<P>, logger: Logger): DynamicModule };
  /** The NATS server side of a process that answers commands. */
  readonly commandServer?: (config: ConfigOf<P>) => MicroserviceOptions;
  /** Further preparation of the HTTP side. */
  readonly prepare?: (app: NestFastifyApplication, config: ConfigOf<P>, logger: Logger) => void | Promise<void>;
}

/** How long a process that was told to stop may take before it exits all the same. */
const SHUTDOWN_MS = 10_000;
const EXIT_CONFIG = 78;
/** A request has to be received whole within this time, the largest bundle included. */
const REQUEST_TIMEOUT_MS = 15 * 60_000;
/** A connection on which nothing moves is closed. */
const IDLE_TIMEOUT_MS = 60_000;

/** Runs one process: settings, traces, Nest, NATS, HTTP, and an orderly end on SIGTERM. `load` comes late, so that tracing sees every import. */
export async function runService<P extends ProcessName>(name: P, load: () => Promise<ServiceModule<P>>): Promise<void> {
  try {
    const config = readSettings(PROCESS_SETTINGS[name]) as ConfigOf<P> & HostConfig;
    const stopTracing = await startTracing(name, config.otlpEndpoint);
    const logger = createLogger(name, config.logLevel);
    collectProcessMetrics(name);
    const app = await start(await load(), config, logger);
    stopOnSignal(app, logger, stopTracing);
    logger.info({ address: await app.getUrl() }, 'ready');
  } catch (error) {
    process.stderr.write(`${name} cannot start: ${error instanceof ConfigError ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

async function start<P extends ProcessName>(
  service: ServiceModule<P>,
  config: ConfigOf<P> & HostConfig,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    routerOptions: { maxParamLength: 300 },
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    genReqId: () => crypto.randomUUID(),
  });
  const app = await NestFactory.create<NestFastifyApplication>(service.AppModule.register(config, logger), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  registerOperationsRoutes(adapter.getInstance(), app.get(Readiness));
  await service.prepare?.(app, config, logger);
  if (service.commandServer) app.connectMicroservice(service.commandServer(config), { inheritAppConfig: true });
  // In this order: `listen` alone would run the init hooks after the first command could arrive.
  await app.init();
  await app.startAllMicroservices();
  await app.listen({ host: config.host, port: config.port });
  return app;
}

function stopOnSignal(app: NestFastifyApplication, logger: Logger, stopTracing: () => Promise<void>): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    app.get(Readiness).stop();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    await app.close();
    await stopTracing();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop(signal));
}
