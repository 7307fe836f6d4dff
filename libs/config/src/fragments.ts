import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import { blobStoreUrl, between, days, flag, oneOf, port, positive, text, urlOf, registries, type AllowedRegistry } from './parsers';
import type { Setting } from './settings';

/** Ports the processes listen on when nothing else is said. */
const DEFAULT_PORTS: Readonly<Record<ProcessName, number>> = {
  'api-gateway': 8080,
  publisher: 8081,
  verifier: 8082,
  compliance: 8083,
  'mirror-worker': 8084,
  'parity-worker': 8085,
};

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
    doc: 'Where bytes are kept: a folder as file:///…, or a bucket as s3+https://host:port/bucket/folder?region=…&part=… (s3+http without TLS; part: MiB of each part of a large object, 8 to 16)',
    example: 'file:///var/lib/packs/blobs',
    parse: blobStoreUrl,
  },
  blobStoreAccessKey: {
    name: 'BLOB_STORE_ACCESS_KEY',
    doc: 'Access key of a bucket in BLOB_STORE',
    optional: true,
    secret: true,
    parse: text as (value: string) => string | undefined,
  },
  blobStoreSecretKey: {
    name: 'BLOB_STORE_SECRET_KEY',
    doc: 'Secret key of a bucket in BLOB_STORE',
    optional: true,
    secret: true,
    parse: text as (value: string) => string | undefined,
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
    doc: "A file with the issuer's JWKS, in place of fetching it. The issuer is then asked for nothing but tokens of clients that come to /token with a secret",
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

/** The token service for OCI clients. */
export const tokenSettings = {
  publicUrl: {
    name: 'GATEWAY_PUBLIC_URL',
    doc: 'How clients reach the gateway: where challenges send them for a token, and what proofs of possession name. Absent: http and the host they asked for, which behind TLS is wrong',
    example: 'https://packs.example',
    optional: true,
    parse: urlOf('https:', 'http:') as (value: string) => string | undefined,
  },
  tokenKeyFile: {
    name: 'GATEWAY_TOKEN_KEY_FILE',
    doc: 'Private keys (PKCS#8 PEM, P-256 or Ed25519) of the tokens for /v2, the same on all replicas: the first signs, all verify',
    example: '/etc/packs/token-keys.pem',
    parse: text,
  },
  tokenSeconds: {
    name: 'GATEWAY_TOKEN_SECONDS',
    doc: 'A token for /v2 is good for this many seconds, 60 to 300, and never for longer than what it was asked with',
    fallback: '300',
    parse: between(60, 300),
  },
} satisfies Record<string, Setting<unknown>>;

/** Several processes of one machine behind one port. */
export const replicaSettings = {
  reusePort: {
    name: 'GATEWAY_REUSE_PORT',
    doc: 'true: other processes of this machine that say so too may listen on the same address and port, and the system spreads connections over them',
    fallback: 'false',
    parse: flag,
  },
  healthPort: {
    name: 'GATEWAY_HEALTH_PORT',
    doc: 'A port of this process alone for health and metrics, beside the public one: behind a shared port a request reaches any process. Absent: none',
    optional: true,
    parse: port as (value: string) => number | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

/** Reading what lies at rest. */
export const scrubSettings = {
  scrubIntervalHours: {
    name: 'PUBLISHER_SCRUB_INTERVAL_HOURS',
    doc: 'Everything in the blob store is read and compared with its digest every so many hours (168: a week). Absent: only when `registry scrub` asks for it',
    optional: true,
    parse: positive as (value: string) => number | undefined,
  },
  scrubMibPerSecond: {
    name: 'PUBLISHER_SCRUB_MIB_PER_SECOND',
    doc: 'A scrub reads at most so many MiB a second',
    fallback: '64',
    parse: positive,
  },
  scrubLeaseMs: {
    name: 'PUBLISHER_SCRUB_LEASE_MS',
    doc: 'A scrub of a process that died is taken over after this many milliseconds',
    fallback: '10000',
    parse: positive,
  },
} satisfies Record<string, Setting<unknown>>;

export const operatorSettings = {
  operatorTenant: {
    name: 'OPERATOR_TENANT',
    doc: 'The tenant whose administrators may scrub the blob store, and see dead letters and damaged blobs that are of no tenant',
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
  maxKitBytes: {
    name: 'GATEWAY_MAX_KIT_BYTES',
    doc: 'Largest offline kit accepted, in bytes',
    fallback: String(64 * 1024 ** 3),
    parse: positive,
  },
  maxBlobBytes: {
    name: 'GATEWAY_MAX_BLOB_BYTES',
    doc: 'Largest blob accepted by the OCI API, in bytes',
    fallback: String(10 * 1024 ** 3),
    parse: positive,
  },
  maxUploads: { name: 'GATEWAY_MAX_UPLOADS', doc: 'OCI blob uploads a tenant may have open at a time', fallback: '1000', parse: positive },
  uploadSeconds: {
    name: 'GATEWAY_UPLOAD_SECONDS',
    doc: 'An OCI blob upload that nobody went on with for this many seconds is cleared away',
    fallback: '86400',
    parse: between(60, 86_400),
  },
  blobRedirectSeconds: {
    name: 'GATEWAY_BLOB_REDIRECT_SECONDS',
    doc: 'GET of a blob by the OCI API answers an address in the bucket of BLOB_STORE that is good for this many seconds, in place of the bytes: nobody but the client checks them then. Absent: never',
    optional: true,
    parse: between(1, 3600) as (value: string) => number | undefined,
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

export const mirrorSettings = {
  mirrorRoot: {
    name: 'MIRROR_ROOT',
    doc: 'Folder that file mirrors and kits lie under; a mirror names a folder below it and cannot leave it',
    example: 'file:///srv/mirrors',
    parse: urlOf('file:'),
  },
} satisfies Record<string, Setting<unknown>>;

/** Read by whoever connects to other registries. */
export const registrySettings = {
  registries: {
    name: 'MIRROR_REGISTRIES',
    doc: 'OCI registries that mirrors may lie in, and their token services, joined by commas: `registry.example, http://10.0.0.5:5000 private`. TLS unless one says `http://`; at public addresses unless one says `private`. Absent: none',
    optional: true,
    parse: registries as (value: string) => readonly AllowedRegistry[] | undefined,
  },
  registryCredentialsFile: {
    name: 'MIRROR_REGISTRY_CREDENTIALS_FILE',
    doc: "Credentials for those registries, as the `auths` of docker's config.json, readable by their owner alone; absent: nobody's are shown",
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

export const mirrorWorkerSettings = {
  leaseMs: {
    name: 'MIRROR_LEASE_MS',
    doc: 'A job of a worker that died is taken over after this many milliseconds',
    fallback: '10000',
    parse: positive,
  },
  attempts: { name: 'MIRROR_ATTEMPTS', doc: 'A sync that failed this often is given up', fallback: '8', parse: positive },
  runDeadlineMs: {
    name: 'MIRROR_RUN_DEADLINE_MS',
    doc: 'An attempt at a sync may take this many milliseconds',
    fallback: '3600000',
    parse: positive,
  },
} satisfies Record<string, Setting<unknown>>;

/** Where content may come from: by reference, and by mirrors that pull. */
export const sourceSettings = {
  sources: {
    name: 'MIRROR_SOURCES',
    doc: 'OCI registries that every tenant may publish packs from by reference and have mirrors pull from, and their token services, written as MIRROR_REGISTRIES is. Whatever our credentials may read there, every publisher may. Absent: none',
    optional: true,
    parse: registries as (value: string) => readonly AllowedRegistry[] | undefined,
  },
  maxPulledBundleBytes: {
    name: 'MIRROR_MAX_BUNDLE_BYTES',
    doc: 'Largest bundle that a mirror pulls, in bytes',
    fallback: String(512 * 1024 * 1024),
    parse: positive,
  },
  maxPulledBlobBytes: {
    name: 'MIRROR_MAX_BLOB_BYTES',
    doc: 'Largest blob of any other content that a mirror pulls, in bytes',
    fallback: String(10 * 1024 ** 3),
    parse: positive,
  },
} satisfies Record<string, Setting<unknown>>;

/** Signs kits in the name of this registry. */
export const signingSettings = {
  signingKeyFile: {
    name: 'MIRROR_SIGNING_KEY_FILE',
    doc: 'Private key (PKCS#8 PEM, readable by its owner alone) that offline kits are signed with; absent: no kit is exported',
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

/** Read by whoever decides whose kits are taken. */
export const exporterSettings = {
  exportersFile: {
    name: 'KIT_EXPORTERS_FILE',
    doc: 'Exporter keys that every tenant takes kits from, as `{"keys": [{"name": …, "publicKey": …}]}`, beside those it names itself: what a registry that is sealed from its first start imports by',
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
} satisfies Record<string, Setting<unknown>>;

/** Read by whoever watches over what is trusted. */
export const trustSettings = {
  trustBundleFile: {
    name: 'TRUST_BUNDLE_FILE',
    doc: 'A signed trust bundle (`registry.trustBundle`): the first bundle of a tenant it speaks for is signed by its root keys, and what such a tenant trusts is compared with it. Absent: none',
    optional: true,
    parse: text as (value: string) => string | undefined,
  },
  trustWarnDays: {
    name: 'TRUST_WARN_DAYS',
    doc: 'What is trusted and ends is told of so many days before',
    fallback: '30,7,1',
    parse: days,
  },
} satisfies Record<string, Setting<unknown>>;

export const parityWorkerSettings = {
  leaseMs: {
    name: 'PARITY_LEASE_MS',
    doc: 'A comparison of a worker that died is taken over after this many milliseconds',
    fallback: '10000',
    parse: positive,
  },
  attempts: { name: 'PARITY_ATTEMPTS', doc: 'A comparison that failed this often is given up', fallback: '5', parse: positive },
  intervalSeconds: {
    name: 'PARITY_INTERVAL_SECONDS',
    doc: 'Every byte of a mirror is compared again after this many seconds',
    fallback: '86400',
    parse: positive,
  },
} satisfies Record<string, Setting<unknown>>;

/** Read by every process that changes content for clients, or connects to anything. */
export const sealSettings = {
  sealed: {
    name: 'SEALED',
    doc: 'true: seals every tenant. Nothing but kit imports changes content, no request can unseal, and no traces are exported. The same for all processes',
    fallback: 'false',
    parse: flag,
  },
} satisfies Record<string, Setting<unknown>>;
