import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataDirsWithin } from './data-dir';
import { bundledBinaries, copyBinaries, ownFolder, type PostgresBinaries } from './postgres-binaries';
import { readPrivateFile, writePrivateFile } from './private-file';
import { identify, type ProcessIdentity } from './process-identity';
import { StepError } from './step-error';

const SHARED_FOLDER = '/var/tmp/packs-registry';
const OWNER_FILE = 'owner';

/** Where the embedded server lives and as whom it runs. */
export interface PostgresHome {
  readonly binaries: PostgresBinaries;
  readonly cluster: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * PostgreSQL refuses to run as root. As root it therefore runs as user postgres, who must reach both the binaries and the data; below a
 * 0700 folder such as root's home that user reaches neither, and both live under /var/tmp instead.
 */
export function findPostgresHome(dataDir: string): PostgresHome {
  const bundled = bundledBinaries();
  const inside = join(dataDir, 'postgres');
  if (process.getuid?.() !== 0) return { binaries: bundled, cluster: inside };

  const user = postgresUser();
  const binaries = canRun(bundled, user) ? bundled : copyBinaries(bundled, ownFolder(SHARED_FOLDER));
  const recorded = recordedOutside(dataDir);
  // A cluster stays where it was made.
  if (recorded === undefined && canEnter(dataDir, user)) return { binaries, cluster: inside, user };
  if (recorded === undefined && existsSync(inside)) {
    throw new StepError(
      `user postgres, who owns the data in ${inside}, may not enter that folder any more.`,
      'Give the folders above it the right to pass (chmod o+x), or start empty with `npm start -- --fresh`.',
    );
  }
  removeAbandoned();
  return { binaries, cluster: outsideCluster(dataDir, recorded), user };
}

/** The server that runs on this data directory's cluster, whoever recorded it. */
export function runningServer(dataDir: string): ProcessIdentity | undefined {
  const outside = recordedOutside(dataDir);
  return serverOn(outside === undefined ? join(dataDir, 'postgres') : join(outside, 'cluster'));
}

/** Deletes a cluster kept outside the data directory, if there is one, and those of the data directories within. */
export function removeOutsideCluster(dataDir: string): void {
  dataDirsWithin(dataDir).forEach(removeOutsideCluster);
  const recorded = recordedOutside(dataDir);
  if (recorded !== undefined && ownerOf(recorded) === dataDir) rmSync(recorded, { recursive: true, force: true });
}

function outsideCluster(dataDir: string, recorded: string | undefined): string {
  const folder = recorded ?? join(ownFolder(SHARED_FOLDER), `data-${randomBytes(8).toString('hex')}`);
  // Recorded before it exists: `removeAbandoned` of another start must not take it for nobody's.
  if (recorded === undefined) writePrivateFile(recordPath(dataDir), `${JSON.stringify({ folder })}\n`);
  ownFolder(SHARED_FOLDER);
  ownFolder(folder);
  writeFileSync(join(folder, OWNER_FILE), dataDir);
  return join(folder, 'cluster');
}

/** Clusters whose data directory was deleted by hand. Where the folder around it is missing too, it may only be unmounted: kept. */
function removeAbandoned(): void {
  const folders = existsSync(SHARED_FOLDER) ? readdirSync(SHARED_FOLDER).filter(name => name.startsWith('data-')) : [];
  for (const folder of folders.map(name => join(SHARED_FOLDER, name))) {
    const owner = ownerOf(folder);
    if (owner === undefined || !existsSync(dirname(owner)) || recordedOutside(owner) === folder) continue;
    if (!serverOn(join(folder, 'cluster'))) rmSync(folder, { recursive: true, force: true });
  }
}

/** By the server's own pid file; a pid that another program has by now does not count. */
function serverOn(cluster: string): ProcessIdentity | undefined {
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile)) return undefined;
  const found = identify(Number.parseInt(readFileSync(pidFile, 'utf8'), 10));
  return found?.command.includes(` -D ${cluster} `) ? found : undefined;
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'postgres.json');
}

function recordedOutside(dataDir: string): string | undefined {
  const text = readPrivateFile(recordPath(dataDir));
  const folder = text === undefined ? undefined : (JSON.parse(text) as { folder?: string }).folder;
  return folder?.startsWith(`${SHARED_FOLDER}/data-`) ? folder : undefined;
}

function ownerOf(folder: string): string | undefined {
  const file = join(folder, OWNER_FILE);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function postgresUser(): { uid: number; gid: number } {
  try {
    return lookUpPostgresUser();
  } catch {
    try {
      execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {
        stdio: 'pipe',
      });
      return lookUpPostgresUser();
    } catch (error) {
      throw new StepError(
        'PostgreSQL does not run as root, and there is no user `postgres` to run it as.',
        'Make one (`useradd --system postgres`), run the command as another user, or point DATABASE_ADMIN_URL at a server.',
        { cause: error },
      );
    }
  }
}

function lookUpPostgresUser(): { uid: number; gid: number } {
  const id = (flag: string) => Number.parseInt(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }), 10);
  return { uid: id('-u'), gid: id('-g') };
}

function canRun({ folder }: PostgresBinaries, user: { uid: number; gid: number }): boolean {
  return spawnSync(join(folder, 'bin', 'postgres'), ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

function canEnter(folder: string, user: { uid: number; gid: number }): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
