import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import type { ChildSpec } from './child';
import { inheritedBy, type Environment } from './environment';
import { answersHttp } from './readiness';
import { builtFile } from './repository-root';
import { StepError } from './step-error';

/** What each process is given beyond its port, its NATS user and the common settings. */
const NEEDS: Readonly<Record<ProcessName, { readonly database: boolean; readonly blobs: boolean; readonly authority: boolean }>> = {
  'api-gateway': { database: true, blobs: true, authority: true },
  publisher: { database: true, blobs: true, authority: false },
  verifier: { database: false, blobs: true, authority: false },
  compliance: { database: true, blobs: false, authority: false },
};

/** The PostgreSQL login role of a process. */
export function loginRole(process: ProcessName): string {
  return `packs_${process === 'api-gateway' ? 'gateway' : process}`;
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
    args: ['--enable-source-maps', main],
    env: { ...inheritedBy(name, environment), ...ownSettings(name, port, parts, environment) },
    cwd: dataDir,
    logFile: join(dataDir, 'logs', `${name}.log`),
    ready: () => answersHttp(`http://127.0.0.1:${port}/readyz`),
  };
}

function ownSettings(name: ProcessName, port: number, parts: SharedParts, environment: Environment): Record<string, string> {
  const prefix = ENV_PREFIX[name];
  const { database, blobs, authority } = NEEDS[name];
  const settings: Record<string, string | undefined> = {
    [`${prefix}_HOST`]: environment[`${prefix}_HOST`] ?? '127.0.0.1',
    [`${prefix}_PORT`]: String(port),
    NATS_URL: parts.natsUrl,
    [`${prefix}_NATS_PASSWORD`]: parts.natsPasswords[name],
    ...(database && { [`${prefix}_DATABASE_URL`]: parts.databaseUrls[name] }),
    ...(blobs && { BLOB_STORE: parts.blobStore }),
    ...(authority && { AUTHORITY_ISSUER: parts.authorityIssuer, AUTHORITY_AUDIENCE: parts.authorityAudience }),
  };
  return Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
