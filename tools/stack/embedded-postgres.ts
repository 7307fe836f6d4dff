import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ChildSpec } from './child';
import type { PostgresHome } from './postgres-home';
import { writePrivateFile } from './private-file';
import { StepError } from './step-error';

const ADMIN = 'postgres';
const WRONG_PASSWORD = '28P01';
const DATABASE = 'packs';

export interface EmbeddedPostgres {
  readonly spec: ChildSpec;
  /** Superuser on the product's database. */
  readonly adminUrl: string;
}

/** The server on loopback, its cluster made on first use with a password for every connection. */
export function embeddedPostgres(home: PostgresHome, options: { port: number; password: string; logFile: string }): EmbeddedPostgres {
  const { port, password, logFile } = options;
  if (!existsSync(home.cluster)) initialise(home, password);
  refuseOtherMajor(home);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
  };
  const spec: ChildSpec = {
    name: 'postgres',
    tier: 'store',
    command: join(home.binaries.folder, 'bin', 'postgres'),
    args: ['-D', home.cluster, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    logFile,
    user: home.user,
    // Fast shutdown: ends sessions, writes a checkpoint. SIGTERM would wait for clients to leave.
    stopSignal: 'SIGINT',
    graceMs: 20_000,
    ready: () => ensureDatabase(urlOf(port, password, 'postgres')),
    readyWithinMs: 60_000,
    // After a kill, helpers of the dead server hold on for a moment.
    retryWhenLogSays: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
  };
  return { spec, adminUrl: urlOf(port, password, DATABASE) };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${ADMIN}:${password}@127.0.0.1:${port}/${database}`;
}

function initialise(home: PostgresHome, password: string): void {
  // initdb reads the password as the user it runs as, so the file lies where that user may go.
  const scratch = mkdtempSync(join(tmpdir(), 'packs-initdb-'));
  const passwordFile = join(scratch, 'password');
  writePrivateFile(passwordFile, `${password}\n`);
  // Takes its name when complete: an interrupted initdb leaves a folder no server can use.
  const next = `${home.cluster}.new`;
  try {
    rmSync(next, { recursive: true, force: true });
    mkdirSync(next, { mode: 0o700 });
    if (home.user) for (const path of [scratch, passwordFile, next]) chownSync(path, home.user.uid, home.user.gid);
    const auth = ['--auth=scram-sha-256', `--username=${ADMIN}`, `--pwfile=${passwordFile}`];
    const args = [`--pgdata=${next}`, ...auth, '--encoding=UTF8', '--locale=C', '--no-instructions'];
    execFileSync(join(home.binaries.folder, 'bin', 'initdb'), args, {
      ...home.user,
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      stdio: 'pipe',
      encoding: 'utf8',
    });
    renameSync(next, home.cluster);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || String(error);
    throw new StepError(`the database cluster could not be made: ${said}`, `Check free space and permissions of ${home.cluster}.`, {
      cause: error,
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A data folder belongs to one major version of the server. */
function refuseOtherMajor({ cluster, binaries }: PostgresHome): void {
  const made = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  const major = binaries.version.split('.')[0] ?? '';
  if (made === major) return;
  throw new StepError(
    `the data was written by PostgreSQL ${made}; the dependencies now hold ${major}.`,
    'Start empty with `npm start -- --fresh`, or go back to the earlier package-lock.json.',
  );
}

function passwordLost(cause: unknown): StepError {
  return new StepError(
    'the embedded PostgreSQL refuses the password in secrets.json: that file was lost or replaced.',
    'Put the old file back, or start empty with `npm start -- --fresh`.',
    { cause },
  );
}

/** Connects, which proves server and password, and makes the product's database on first use. */
async function ensureDatabase(serverUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: serverUrl, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`create database ${DATABASE}`);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === WRONG_PASSWORD) throw passwordLost(error);
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
