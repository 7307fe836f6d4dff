import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openDataDir } from '../stack/data-dir';
import { REPOSITORY_ROOT } from '../stack/repository-root';

/** A new folder on the disk that `npm start` keeps its data on, deleted after the run; `npm start -- --fresh` removes what a killed run left. */
export function benchFolder(): string {
  const parent = openDataDir(process.env.DATA_DIR ?? join(REPOSITORY_ROOT, '.data'));
  const folder = mkdtempSync(join(parent, 'bench-'));
  // With root the database server runs as another user, who must pass through; else its data would lie on another disk.
  chmodSync(folder, 0o711);
  return folder;
}
