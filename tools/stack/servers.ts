import { join } from 'node:path';
import { natsPermissions, PROCESSES } from '@packs/contracts';
import { authorityProcess } from './authority-process';
import { databaseUrls, DATABASE_PROCESSES, givenDatabaseUrls, loginUrl } from './database-urls';
import { embeddedPostgres } from './embedded-postgres';
import { migrate } from './migration';
import { ensureNatsServer } from './nats-binary';
import { natsServer } from './nats-server';
import { findPostgresHome } from './postgres-home';
import { NATS_ADMIN, type Workspace } from './workspace';

export interface Databases {
  /** Absent when every process was given a login and nobody an administrator's. */
  readonly adminUrl: string | undefined;
  readonly urls: Readonly<Record<string, string>>;
  /** With the login of auditors; absent where nobody may make it. */
  readonly auditorUrl: string | undefined;
}

/** PostgreSQL with the product's schemas: the one that is pointed at, else the embedded one. */
export async function startDatabases(workspace: Workspace): Promise<Databases> {
  const { environment, secrets, steps } = workspace;
  const given = givenDatabaseUrls(environment);
  const external = environment.DATABASE_ADMIN_URL;
  if (!external && Object.keys(given).length === DATABASE_PROCESSES.length) {
    return { adminUrl: undefined, urls: given, auditorUrl: environment.AUDITOR_DATABASE_URL };
  }
  const adminUrl = external ?? (await steps.run('PostgreSQL', note => startPostgres(workspace, note)));
  const urls = databaseUrls(adminUrl, secrets.databases, environment);
  const auditorUrl = environment.AUDITOR_DATABASE_URL ?? loginUrl(adminUrl, 'packs_auditor', secrets.databases['auditor'] ?? '');
  await steps.run('migrations', () => migrate(adminUrl, urls, auditorUrl, environment));
  return { adminUrl, urls, auditorUrl };
}

async function startPostgres(workspace: Workspace, note: (text: string) => void): Promise<string> {
  const { dataDir, ports, secrets } = workspace;
  const home = findPostgresHome(dataDir);
  const port = await ports.choose('postgres');
  const { spec, adminUrl } = embeddedPostgres(home, { port, password: secrets.postgresAdmin, logFile: workspace.logFile('postgres') });
  await workspace.start(spec);
  note(`embedded ${home.binaries.version.split('-')[0]}, 127.0.0.1:${port}`);
  if (!home.cluster.startsWith(dataDir)) note(`data in ${home.cluster}`);
  return adminUrl;
}

export interface NatsAccess {
  readonly url: string;
  /** Password by user; empty for a server that was pointed at. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** NATS with JetStream: the one that is pointed at, else a local nats-server. */
export async function startNats(workspace: Workspace): Promise<NatsAccess> {
  const { environment, dataDir, ports, secrets, steps } = workspace;
  if (environment.NATS_URL) return { url: environment.NATS_URL, passwords: {} };
  return steps.run('nats-server', async note => {
    const binary = ensureNatsServer(environment.PATH ?? '', text => steps.say(text));
    const port = await ports.choose('nats-server');
    const password = (name: string) => secrets.nats[name] ?? '';
    const users = [
      ...PROCESSES.map(name => ({ name, password: password(name), permissions: natsPermissions[name] })),
      { name: NATS_ADMIN, password: password(NATS_ADMIN) },
    ];
    await workspace.start(natsServer({ binary, folder: join(dataDir, 'nats'), port, users, logFile: workspace.logFile('nats-server') }));
    note(`127.0.0.1:${port}`);
    return { url: `nats://127.0.0.1:${port}`, passwords: secrets.nats };
  });
}

/** The issuer of access tokens: the one that is pointed at, else the local Authority. */
export async function startAuthority(workspace: Workspace, audience: string): Promise<string> {
  const { environment, dataDir, ports, steps } = workspace;
  if (environment.AUTHORITY_ISSUER) return environment.AUTHORITY_ISSUER;
  return steps.run('Authority', async note => {
    const port = await ports.choose('authority');
    await workspace.start(authorityProcess({ port, dataDir, audience, environment }));
    note(`http://127.0.0.1:${port}`);
    return `http://127.0.0.1:${port}`;
  });
}
