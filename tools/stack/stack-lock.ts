import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './private-file';
import { identify, isRunning, type ProcessIdentity } from './process-identity';
import { StepError } from './step-error';

const ATTEMPTS = 5;

/** One stack per data directory: the lock names its owner and counts only while that very process runs. */
export class StackLock {
  private constructor(private readonly path: string) {}

  static isHeld(dataDir: string): boolean {
    const owner = readOwner(join(dataDir, 'lock'));
    return owner !== undefined && isRunning(owner);
  }

  static take(dataDir: string): StackLock {
    const path = join(dataDir, 'lock');
    const mine = join(dataDir, `lock.${process.pid}`);
    writePrivateFile(mine, JSON.stringify(identify(process.pid)));
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        // link(2) fails when the name exists: exactly one process gets it.
        if (tryLink(mine, path)) return new StackLock(path);
        const owner = readOwner(path);
        if (owner && isRunning(owner)) throw heldBy(owner, dataDir);
        discardStale(path, owner);
      }
      throw new StepError(`${path} could not be taken.`, 'Try again in a moment.');
    } finally {
      rmSync(mine, { force: true });
    }
  }

  release(): void {
    rmSync(this.path, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Moves a dead owner's lock away; when another start was faster and the file is its live lock, puts that back. */
function discardStale(path: string, stale: ProcessIdentity | undefined): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readOwner(aside);
  if (moved && moved.pid !== stale?.pid && isRunning(moved)) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function heldBy(owner: ProcessIdentity, dataDir: string): StepError {
  return new StepError(
    `another stack (process ${owner.pid}) already runs on ${dataDir}.`,
    `Use that one, stop it with Ctrl-C or \`kill ${owner.pid}\`, or give this one its own data with DATA_DIR=<folder>.`,
  );
}
