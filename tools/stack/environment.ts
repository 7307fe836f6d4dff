import { ENV_PREFIX, type ProcessName } from '@packs/contracts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What `npm start` itself understands; a setting that begins with a process's prefix goes to that process as it is. */
export const STACK_SETTINGS: readonly { readonly name: string; readonly default: string; readonly meaning: string }[] = [
  { name: 'DATA_DIR', default: './.data', meaning: 'Folder of everything the stack keeps.' },
  { name: 'GATEWAY_PORT', default: '8080, else the next free', meaning: 'Port of the public API.' },
  { name: 'GATEWAY_PROCESSES', default: '1', meaning: 'Gateway processes that share that port.' },
  {
    name: 'DATABASE_ADMIN_URL',
    default: 'the embedded PostgreSQL',
    meaning: 'A PostgreSQL 15 or newer, as a user that may create roles and schemas.',
  },
  {
    name: '<PROCESS>_DATABASE_URL',
    default: 'made from DATABASE_ADMIN_URL',
    meaning: "A process's own login. With all of them and no DATABASE_ADMIN_URL, nothing is migrated.",
  },
  { name: 'NATS_URL', default: 'a nats-server of its own', meaning: 'A NATS server with JetStream and the users of the contracts.' },
  { name: '<PROCESS>_NATS_PASSWORD', default: 'made on first start', meaning: "The password of a process's user at NATS_URL." },
  { name: 'AUTHORITY_ISSUER', default: 'the local Authority', meaning: 'An OIDC issuer. Without the local one no sample is published.' },
  { name: 'AUTHORITY_AUDIENCE', default: 'packs-registry', meaning: 'Audience the access tokens carry.' },
  {
    name: 'AUTHORITY_JWKS_FILE',
    default: "the issuer's own",
    meaning: "A file with the issuer's keys; the gateway then asks the issuer for nothing but tokens of clients with a secret.",
  },
  { name: 'SEALED', default: 'false', meaning: 'Seals the registry for every tenant; see docs/operations.md.' },
  { name: 'AUTHORITY_TOKEN_TTL', default: '3600', meaning: 'Life of a token of the local Authority, in seconds.' },
  { name: 'BLOB_STORE', default: '<DATA_DIR>/blobs', meaning: 'Where the bytes are kept, as a URL.' },
  { name: 'BLOB_STORE_ACCESS_KEY', default: 'none', meaning: 'Access key of a bucket in BLOB_STORE.' },
  { name: 'BLOB_STORE_SECRET_KEY', default: 'none', meaning: 'Secret key of a bucket in BLOB_STORE.' },
  { name: 'MIRROR_SIGNING_KEY_FILE', default: '<DATA_DIR>/keys/kit-signing.key.pem', meaning: 'Key that offline kits are signed with.' },
  { name: 'KIT_EXPORTERS_FILE', default: 'none', meaning: 'Keys of exporters whose kits every tenant takes.' },
  {
    name: 'TRUST_BUNDLE_FILE',
    default: 'none',
    meaning: 'A signed trust bundle that what tenants trust is compared with; see docs/trust.md.',
  },
  { name: 'MIRROR_ROOT', default: '<DATA_DIR>/mirrors', meaning: 'The folder that mirrors lie under, as a URL.' },
  { name: 'MIRROR_REGISTRIES', default: 'none', meaning: 'OCI registries that mirrors may lie in; see docs/mirrors.md.' },
  { name: 'MIRROR_REGISTRY_CREDENTIALS_FILE', default: 'none', meaning: 'Credentials for those registries.' },
];

/** Goes to every process: how it finds the system's own files and how it tells what it does. */
const COMMON = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_ENV',
  'NODE_COMPILE_CACHE',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'LOG_LEVEL',
  'NATS_REPLICAS',
  'SEALED',
  'KIT_EXPORTERS_FILE',
  'TRUST_BUNDLE_FILE',
  'TRUST_WARN_DAYS',
];
const COMMON_PREFIX = 'OTEL_';

/** The part of the stack's environment that a process gets: the common settings and those with its own prefix, no other's secrets. */
export function inheritedBy(process: ProcessName | 'tool', environment: Environment): Record<string, string> {
  const own = process === 'tool' ? undefined : `${ENV_PREFIX[process]}_`;
  const inherited = Object.entries(environment).filter(
    ([name]) => COMMON.includes(name) || name.startsWith(COMMON_PREFIX) || (own !== undefined && name.startsWith(own)),
  );
  return Object.fromEntries(inherited.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
