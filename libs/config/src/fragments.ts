import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import { oneOf, port, positive, text, urlOf } from './parsers';
import type { Setting } from './settings';

/** Ports the processes listen on when nothing else is said. */
const DEFAULT_PORTS: Readonly<Record<ProcessName, number>> = { 'api-gateway': 8080, publisher: 8081, verifier: 8082, compliance: 8083 };

export function httpSettings(process: ProcessName) {
  const prefix = ENV_PREFIX[process];
  const what = process === 'api-gateway' ? 'the public API' : 'health and metrics';
  return {
    host: { name: `${prefix}_HOST`, doc: `Address ${process} listens on`, fallback: '127.0.0.1', parse: text },
    port: { name: `${prefix}_PORT`, doc: `Port of ${process} for ${what}`, fallback: String(DEFAULT_PORTS[process]), parse: port },
  } satisfies Record<string, Setting<unknown>>;
}

export function databaseSettings(process: ProcessName) {
  return {
    databaseUrl: {
      name: `${ENV_PREFIX[process]}_DATABASE_URL`,
      doc: `PostgreSQL with the login role of ${process}`,
      example: `postgresql://packs_${process.replace('api-', '')}:…@db/packs`,
      secret: true,
      parse: urlOf('postgresql:', 'postgres:'),
    },
  } satisfies Record<string, Setting<unknown>>;
}

export function natsSettings(process: ProcessName) {
  return {
    natsUrl: { name: 'NATS_URL', doc: 'nats-server with JetStream', fallback: 'nats://127.0.0.1:4222', parse: urlOf('nats:', 'tls:') },
    natsPassword: {
      name: `${ENV_PREFIX[process]}_NATS_PASSWORD`,
      doc: `Password of NATS user ${process}`,
      secret: true,
      parse: text,
    },
  } satisfies Record<string, Setting<unknown>>;
}

export const streamSettings = {
  streamReplicas: { name: 'NATS_REPLICAS', doc: 'Replicas of the event stream', fallback: '1', parse: positive },
} satisfies Record<string, Setting<unknown>>;

export const blobStoreSettings = {
  blobStore: {
    name: 'BLOB_STORE',
    doc: 'Where bytes are kept: a folder as file:///…',
    example: 'file:///var/lib/packs/blobs',
    parse: urlOf('file:'),
  },
} satisfies Record<string, Setting<unknown>>;

export const authoritySettings = {
  issuer: {
    name: 'AUTHORITY_ISSUER',
    doc: 'The OIDC issuer whose access tokens are accepted',
    example: 'https://authority.example',
    parse: urlOf('https:', 'http:'),
  },
  audience: { name: 'AUTHORITY_AUDIENCE', doc: 'The audience a token must name', fallback: 'packs-registry', parse: text },
  jwksFile: {
    name: 'AUTHORITY_JWKS_FILE',
    doc: "A file with the issuer's JWKS, in place of fetching it",
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

export const operatorSettings = {
  operatorTenant: {
    name: 'OPERATOR_TENANT',
    doc: 'The tenant whose administrators see dead letters that name no tenant',
    fallback: 'platform',
    parse: text,
  },
} satisfies Record<string, Setting<unknown>>;

export const uploadSettings = {
  maxBundleBytes: {
    name: 'GATEWAY_MAX_BUNDLE_BYTES',
    doc: 'Largest bundle accepted, in bytes',
    fallback: String(512 * 1024 * 1024),
    parse: positive,
  },
  maxEventStreams: { name: 'GATEWAY_MAX_EVENT_STREAMS', doc: 'Event streams (SSE) open at a time', fallback: '500', parse: positive },
} satisfies Record<string, Setting<unknown>>;

export const observabilitySettings = {
  logLevel: {
    name: 'LOG_LEVEL',
    doc: 'Least severe log line written',
    fallback: 'info',
    parse: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  },
  otlpEndpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    doc: 'OTLP/HTTP endpoint for traces; absent: no tracing',
    optional: true,
    parse: urlOf('http:', 'https:') as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;
