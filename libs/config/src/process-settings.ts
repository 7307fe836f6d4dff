import {
  authoritySettings,
  blobStoreSettings,
  databaseSettings,
  exporterSettings,
  httpSettings,
  mirrorSettings,
  mirrorWorkerSettings,
  natsSettings,
  observabilitySettings,
  operatorSettings,
  parityWorkerSettings,
  registrySettings,
  replicaSettings,
  reverifySettings,
  scanSettings,
  scrubSettings,
  sealSettings,
  signingSettings,
  sourceSettings,
  streamSettings,
  tokenSettings,
  trustSettings,
  uploadSettings,
} from './fragments';
import { urlOf } from './parsers';
import type { Setting } from './settings';

/** The whole environment of each process: what it reads, what its documentation shows, and nothing else. */
export const PROCESS_SETTINGS = {
  'api-gateway': {
    ...httpSettings('api-gateway'),
    ...replicaSettings,
    ...databaseSettings('api-gateway'),
    ...natsSettings('api-gateway'),
    ...blobStoreSettings,
    ...authoritySettings,
    ...tokenSettings,
    ...uploadSettings,
    ...sealSettings,
    ...observabilitySettings,
  },
  publisher: {
    ...httpSettings('publisher'),
    ...databaseSettings('publisher'),
    ...natsSettings('publisher'),
    ...streamSettings,
    ...blobStoreSettings,
    ...exporterSettings,
    ...trustSettings,
    ...operatorSettings,
    ...scrubSettings,
    ...reverifySettings,
    ...sealSettings,
    ...observabilitySettings,
  },
  verifier: {
    ...httpSettings('verifier'),
    ...natsSettings('verifier'),
    ...blobStoreSettings,
    ...scanSettings,
    ...sealSettings,
    ...observabilitySettings,
  },
  'mirror-worker': {
    ...httpSettings('mirror-worker'),
    ...databaseSettings('mirror-worker'),
    ...natsSettings('mirror-worker'),
    ...blobStoreSettings,
    ...mirrorSettings,
    ...registrySettings,
    ...sourceSettings,
    ...mirrorWorkerSettings,
    ...signingSettings,
    ...exporterSettings,
    ...operatorSettings,
    ...sealSettings,
    ...observabilitySettings,
  },
  'parity-worker': {
    ...httpSettings('parity-worker'),
    ...databaseSettings('parity-worker'),
    ...natsSettings('parity-worker'),
    ...mirrorSettings,
    ...registrySettings,
    ...parityWorkerSettings,
    ...operatorSettings,
    ...sealSettings,
    ...observabilitySettings,
  },
  compliance: {
    ...httpSettings('compliance'),
    ...databaseSettings('compliance'),
    ...natsSettings('compliance'),
    ...operatorSettings,
    ...sealSettings,
    ...observabilitySettings,
  },
} as const;

/** What `registry policy replay` reads: a database and the bytes, and no bus. */
export const REPLAY_SETTINGS = {
  databaseUrl: {
    name: 'AUDITOR_DATABASE_URL',
    doc: 'PostgreSQL with the login role of auditors, which only reads. Read by `registry policy replay`; `migrate` lets the role log in where it is set',
    example: 'postgresql://packs_auditor:…@db/packs',
    secret: true,
    parse: urlOf('postgresql:', 'postgres:'),
  },
  ...blobStoreSettings,
} satisfies Record<string, Setting<unknown>>;

/** What `migrate` and `npm start` read. */
export const TOOL_SETTINGS: readonly Pick<Setting<unknown>, 'name' | 'doc' | 'fallback' | 'optional' | 'secret' | 'example'>[] = [
  { ...REPLAY_SETTINGS.databaseUrl, optional: true },
  {
    name: 'DATABASE_ADMIN_URL',
    doc: 'PostgreSQL with a role that may create roles and schemas; read by migrate alone. For `npm start`: use this server in place of the embedded one',
    secret: true,
  },
  { name: 'DATA_DIR', doc: 'Where `npm start` keeps its data', fallback: './.data' },
];
