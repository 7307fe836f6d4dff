import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

const OWNER_ONLY = 0o600;

/** Replaces a file atomically with content only its owner can read; a crash leaves the old content or the new. */
export function writePrivateFile(path: string, content: string): void {
  const next = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(next, 'wx', OWNER_ONLY);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** The content of a private file, or undefined when there is none. A file others could read is closed to them first. */
export function readPrivateFile(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY);
  return readFileSync(path, 'utf8');
}
