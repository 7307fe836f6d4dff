import type { ListenOptions } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ProcessName } from '@packs/contracts';
import { NestLogger, type Logger } from '@packs/observability';
import { fastify } from 'fastify';
import { registerOperationsRoutes } from './operations-routes';
import { Readiness } from './readiness';
import type { ConfigOf, HostConfig, ServiceModule } from './service-module';

/** A request has to be received whole within this time, the largest bundle included. */
const REQUEST_TIMEOUT_MS = 15 * 60_000;
/** A connection on which nothing moves is closed. */
const IDLE_TIMEOUT_MS = 60_000;

/** Nest over Fastify, the NATS side of a process that answers commands, and the routes every process has. */
export async function startApplication<P extends ProcessName>(
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
  if (config.healthPort !== undefined) await listenForHealth(app, { host: config.host, port: config.healthPort });
  // Fastify hands on what it does not know itself.
  const address: ListenOptions = { host: config.host, port: config.port, reusePort: config.reusePort ?? false };
  await app.listen(address);
  return app;
}

/** The operations routes at an address of their own, until the application has closed. */
async function listenForHealth(app: NestFastifyApplication, at: { readonly host: string; readonly port: number }): Promise<void> {
  const server = fastify();
  registerOperationsRoutes(server, app.get(Readiness));
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onClose', () => server.close());
  await server.listen(at);
}
