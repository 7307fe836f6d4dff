import type { Server } from 'node:http';
import { flushCompileCache } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError, PROCESS_SETTINGS, readSettings, reserveFileThreads } from '@packs/config';
import type { ProcessName } from '@packs/contracts';
import { collectProcessMetrics, createLogger, startTracing, type Logger } from '@packs/observability';
import { Readiness } from './readiness';
import type { ConfigOf, HostConfig, ServiceModule } from './service-module';

/** How long a process that was told to stop may take before it exits all the same. */
const SHUTDOWN_MS = 10_000;
const CLOSE_IDLE_MS = 100;
const EXIT_CONFIG = 78;

/** Runs one process: settings, traces, Nest, NATS, HTTP, and an orderly end on SIGTERM. */
export async function runService<P extends ProcessName>(name: P, load: () => Promise<ServiceModule<P>>): Promise<void> {
  try {
    reserveFileThreads();
    const config = readSettings(PROCESS_SETTINGS[name]) as ConfigOf<P> & HostConfig;
    // A sealed process connects to nothing but its database, bus, blobs and Authority.
    const stopTracing = await startTracing(name, config.sealed ? undefined : config.otlpEndpoint);
    const logger = createLogger(name, config.logLevel);
    if (config.sealed && config.otlpEndpoint) logger.warn({ endpoint: config.otlpEndpoint }, 'sealed: no traces are exported');
    collectProcessMetrics(name);
    // What listens and queries is loaded only now: instrumentation sees a module when it is first required.
    const { startApplication } = await import('./start-application');
    const service = await load();
    // Now, not at the end: a process that runs for long, or is killed, would leave nothing to the next. It is quick where nothing is new.
    flushCompileCache();
    const app = await startApplication(service, config, logger);
    stopOnSignal(app, logger, stopTracing);
    logger.info({ address: await app.getUrl() }, 'ready');
  } catch (error) {
    process.stderr.write(
      `${name} cannot start: ${error instanceof ConfigError ? error.message : ((error as Error).stack ?? String(error))}\n`,
    );
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

function stopOnSignal(app: NestFastifyApplication, logger: Logger, stopTracing: () => Promise<void>): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    app.get(Readiness).stop();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    // Closing ends the connections that are idle now. One that is answered later becomes idle then, and its client may keep it open for long.
    setInterval(() => (app.getHttpServer() as Server).closeIdleConnections(), CLOSE_IDLE_MS).unref();
    await app.close();
    await stopTracing();
    logger.info('stopped');
    process.exit(0);
  };
  // Kept for good: without a listener the next signal would end the process in the middle of its work.
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop(signal));
}
