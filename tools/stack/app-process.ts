import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import type { ChildSpec } from './child';
import { inheritedBy, type Environment } from './environment';
import { answersHttp } from './readiness';
import { builtFile } from './repository-root';
import { StepError } from './step-error';

/** MiB of each of the young generation's halves. With what V8 takes of itself a gateway under reads had 290 MiB in place of 185, and was no faster. */
const YOUNG_GENERATION = '--max-semi-space-size=4';

/** What each process is given beyond its port, its NATS user and the common settings. */
const NEEDS: Readonly<
  Record<ProcessName, { readonly database: boolean; readonly blobs: boolean; readonly authority: boolean; readonly mirrors: boolean }>
> = {
  'api-gateway': { database: true, blobs: true, authority: true, mirrors: false },
  publisher: { database: true, blobs: true, authority: false, mirrors: false },
  verifier: { database: false, blobs: true, authority: false, mirrors: false },
  'mirror-worker': { database: true, blobs: true, authority: false, mirrors: true },
  'parity-worker': { database: true, blobs: false, authority: false, mirrors: true },
  compliance: { database: true, blobs: false, authority: false, mirrors: false },
};

/** The PostgreSQL login role of a process. */
export function loginRole(process: ProcessName): string {
  return `packs_${ENV_PREFIX[process].toLowerCase()}`;
}

export function ownsDatabase(process: ProcessName): boolean {
  return NEEDS[process].database;
}

/** Addresses of the parts that processes share. */
export interface SharedParts {
  readonly natsUrl: string;
  readonly natsPasswords: Readonly<Record<string, string>>;
  readonly databaseUrls: Readonly<Record<string, string>>;
  readonly blobStore: string;
  readonly mirrorRoot: string;
  /** Signs offline kits. */
  readonly kitKeyFile: string;
  /** Signs tokens for /v2. */
  readonly tokenKeyFile: string;
  readonly authorityIssuer: string;
  readonly authorityAudience: string;
}

/** How one process is run: with what it needs in its environment and nothing else. */
export function appProcess(name: ProcessName, port: number, parts: SharedParts, environment: Environment, dataDir: string): ChildSpec {
  const main = builtFile('apps', name, 'src', 'main.js');
  if (!existsSync(main))
    throw new StepError(
      `${name} is not built: there is no ${main}.`,
      'This checkout lacks it, or the build was interrupted: delete dist/ and run `npm start`.',
    );
  return {
    name,
    tier: name === 'api-gateway' ? 'edge' : 'worker',
    command: process.execPath,
    args: [YOUNG_GENERATION, main],
    env: { ...inheritedBy(name, environment), ...ownSettings(name, port, parts, environment) },
    cwd: dataDir,
    logFile: join(dataDir, 'logs', `${name}.log`),
    ready: () => answersHttp(`http://127.0.0.1:${port}/readyz`),
  };
}

export function runThrough(through: readonly string[] | undefined, spec: ChildSpec): ChildSpec {
  const [command, ...args] = (through ?? []).map(word => word.replaceAll('{name}', spec.name));
  return command === undefined ? spec : { ...spec, command, args: [...args, spec.command, ...spec.args] };
}

function ownSettings(name: ProcessName, port: number, parts: SharedParts, environment: Environment): Record<string, string> {
  const prefix = ENV_PREFIX[name];
  const { database, blobs, authority, mirrors } = NEEDS[name];
  const settings: Record<string, string | undefined> = {
    [`${prefix}_HOST`]: environment[`${prefix}_HOST`] ?? '127.0.0.1',
    [`${prefix}_PORT`]: String(port),
    NATS_URL: parts.natsUrl,
    [`${prefix}_NATS_PASSWORD`]: parts.natsPasswords[name],
    ...(database && { [`${prefix}_DATABASE_URL`]: parts.databaseUrls[name] }),
    ...(blobs && {
      BLOB_STORE: parts.blobStore,
      BLOB_STORE_ACCESS_KEY: environment.BLOB_STORE_ACCESS_KEY,
      BLOB_STORE_SECRET_KEY: environment.BLOB_STORE_SECRET_KEY,
    }),
    ...(mirrors && {
      MIRROR_ROOT: parts.mirrorRoot,
      MIRROR_REGISTRIES: environment.MIRROR_REGISTRIES,
      MIRROR_REGISTRY_CREDENTIALS_FILE: environment.MIRROR_REGISTRY_CREDENTIALS_FILE,
    }),
    ...(name === 'api-gateway' && { GATEWAY_TOKEN_KEY_FILE: parts.tokenKeyFile }),
    ...(name === 'mirror-worker' && { MIRROR_SIGNING_KEY_FILE: parts.kitKeyFile }),
    ...(authority && {
      AUTHORITY_ISSUER: parts.authorityIssuer,
      AUTHORITY_AUDIENCE: parts.authorityAudience,
      AUTHORITY_JWKS_FILE: environment.AUTHORITY_JWKS_FILE,
    }),
  };
  return Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
