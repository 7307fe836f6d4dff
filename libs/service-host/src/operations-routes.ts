import { metrics } from '@packs/observability';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './readiness';

/** `/healthz` (the process runs), `/readyz` (it can work) and `/metrics`, on every process. */
export function registerOperationsRoutes(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const report = await readiness.report();
    return reply.status(report.status === 'ready' ? 200 : 503).send(report);
  });
  server.get('/metrics', async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.metrics()));
}
