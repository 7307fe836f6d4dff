import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDITOR_ROLE, LOGIN_ROLES, migrate } from '@packs/persistence';
import { Client } from 'pg';
import { Child } from '../stack/child';
import { embeddedPostgres } from '../stack/embedded-postgres';
import { endProcess } from '../stack/end-process';
import { findPostgresHome, removeOutsideCluster, runningServer } from '../stack/postgres-home';
import { identify, isRunning, type ProcessIdentity } from '../stack/process-identity';
import { RunRecord } from '../stack/run-record';
import { freePort } from './free-port';

const PREFIX = 'packs-test-';
const OWNER_FILE = 'run-by.json';
/** Copied for every spec file that asks for a database; `libs/testing` knows it by this name. */
const TEMPLATE = 'packs_template';

/** A PostgreSQL for one jest run, its template database migrated. Spec files find it through the environment, which workers inherit. */
export async function startTestPostgres(): Promise<{ stop(): Promise<void> }> {
  await removeAbandoned();
  const dataDir = makeDataDir();
  const password = randomBytes(16).toString('hex');
  const home = findPostgresHome(dataDir);
  const { spec, adminUrl } = embeddedPostgres(home, { port: await freePort(), password, logFile: join(dataDir, 'postgres.log') });
  const server = new Child(spec, new RunRecord(dataDir));
  await server.start();
  const stop = async (): Promise<void> => {
    await server.kill('SIGKILL');
    removeDataDir(dataDir);
  };
  try {
    await makeTemplate(adminUrl, password);
  } catch (error) {
    await stop();
    throw error;
  }
  process.env['TEST_DATABASE_ADMIN_URL'] = adminUrl;
  process.env['TEST_DATABASE_PASSWORD'] = password;
  return { stop };
}

async function makeTemplate(adminUrl: string, password: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrate(
    url.href,
    [...Object.values(LOGIN_ROLES), AUDITOR_ROLE].map(name => ({ name, password })),
  );
}

/** User postgres has to pass through it, so it is open to entering but not to listing. */
function makeDataDir(): string {
  const dataDir = mkdtempSync(join(realpathSync(tmpdir()), PREFIX));
  chmodSync(dataDir, 0o711);
  writeFileSync(join(dataDir, OWNER_FILE), JSON.stringify(identify(process.pid)));
  return dataDir;
}

function removeDataDir(dataDir: string): void {
  removeOutsideCluster(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
}

/** A run that was killed leaves its server running. */
async function removeAbandoned(): Promise<void> {
  const folder = realpathSync(tmpdir());
  for (const name of readdirSync(folder).filter(entry => entry.startsWith(PREFIX))) {
    const dataDir = join(folder, name);
    const owner = ownerOf(dataDir);
    if (!owner || isRunning(owner)) continue;
    const server = runningServer(dataDir);
    if (server) await endProcess(server, 'SIGKILL');
    removeDataDir(dataDir);
  }
}

function ownerOf(dataDir: string): ProcessIdentity | undefined {
  const file = join(dataDir, OWNER_FILE);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
}
