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
  replicaSettings,
  sealSettings,
  signingSettings,
  streamSettings,
  tokenSettings,
  uploadSettings,
} from './fragments';
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
    ...sealSettings,
    ...observabilitySettings,
  },
  verifier: { ...httpSettings('verifier'), ...natsSettings('verifier'), ...blobStoreSettings, ...sealSettings, ...observabilitySettings },
  'mirror-worker': {
    ...httpSettings('mirror-worker'),
    ...databaseSettings('mirror-worker'),
    ...natsSettings('mirror-worker'),
    ...blobStoreSettings,
    ...mirrorSettings,
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

/** What `migrate` and `npm start` read. */
export const TOOL_SETTINGS: readonly Pick<Setting<unknown>, 'name' | 'doc' | 'fallback' | 'secret'>[] = [
  {
    name: 'DATABASE_ADMIN_URL',
    doc: 'PostgreSQL with a role that may create roles and schemas; read by migrate alone. For `npm start`: use this server in place of the embedded one',
    secret: true,
  },
  { name: 'DATA_DIR', doc: 'Where `npm start` keeps its data', fallback: './.data' },
];
