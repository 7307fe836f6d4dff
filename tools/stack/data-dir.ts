import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StepError } from './step-error';

const MARKER = '.packs-data';
const FOLDERS = ['logs', 'nats', 'authority', 'blobs', 'keys', 'mirrors'];

/**
 * The stack's own folder. Only a folder it made itself is ever used or emptied: DATA_DIR may name anything.
 * 0711: with root the server runs as user postgres, who must pass through; everything secret within is 0600 or 0700.
 */
export function openDataDir(path: string): string {
  const dataDir = resolve(path);
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  if (!existsSync(join(dataDir, MARKER))) {
    if (readdirSync(dataDir).length > 0) {
      throw new StepError(`${dataDir} is not empty and holds no data of this product.`, 'Set DATA_DIR to a new or an empty folder.');
    }
    writeFileSync(join(dataDir, MARKER), 'Data of a local stack, made by `npm start`. `npm start -- --fresh` empties this folder.\n');
  }
  chmodSync(dataDir, 0o711);
  makeFolders(dataDir);
  return realpathSync(dataDir);
}

/** Data directories inside of one: those of further stacks that were shown beside it. */
export function dataDirsWithin(dataDir: string): string[] {
  if (!existsSync(dataDir)) return [];
  const folders = readdirSync(dataDir, { withFileTypes: true }).filter(entry => entry.isDirectory());
  return folders.map(({ name }) => join(dataDir, name)).filter(folder => existsSync(join(folder, MARKER)));
}

/** Removes everything but the marker and the lock of the running stack. */
export function emptyDataDir(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name !== MARKER && name !== 'lock') rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  makeFolders(dataDir);
}

function makeFolders(dataDir: string): void {
  for (const name of FOLDERS) mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 });
}
