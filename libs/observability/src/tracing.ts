import { context, propagation, SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';

/**
 * Starts tracing when an endpoint is set. Has to run before `http` and `pg` are first required, or their spans are missing.
 * @returns a function that flushes and stops
 */
export async function startTracing(process: string, otlpEndpoint: string | undefined): Promise<() => Promise<void>> {
  if (!otlpEndpoint) return () => Promise.resolve();
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
  const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
  const sdk = new NodeSDK({
    serviceName: `packs-registry-${process}`,
    traceExporter: new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` }),
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: request => /^\/(healthz|readyz|metrics)/.test(request.url ?? '') }),
      new PgInstrumentation({ requireParentSpan: true }),
    ],
  });
  sdk.start();
  return () => sdk.shutdown();
}

export type SpanRole = 'client' | 'server' | 'producer' | 'consumer' | 'internal';

const KINDS: Readonly<Record<SpanRole, SpanKind>> = {
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

/** Runs `work` inside a span. `traceparent`, when given, is the W3C trace context the span continues. */
export function inSpan<T>(
  name: string,
  role: SpanRole,
  work: () => Promise<T>,
  options: { traceparent?: string | null; attributes?: Attributes } = {},
): Promise<T> {
  const parent = options.traceparent ? propagation.extract(context.active(), { traceparent: options.traceparent }) : context.active();
  return trace
    .getTracer('packs-registry')
    .startActiveSpan(name, { kind: KINDS[role], attributes: options.attributes }, parent, async span => {
      try {
        return await work();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** The W3C trace context of the work at hand, or null outside a trace. */
export function currentTraceparent(): string | null {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'] ?? null;
}
