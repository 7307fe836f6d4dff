import { join } from 'node:path';
import { openDataDir } from '../stack/data-dir';
import { REPOSITORY_ROOT } from '../stack/repository-root';

/**
 * Where the stack under test keeps everything, on the disk that `npm start` keeps its data on. Always the same folder: the stack finds there
 * what a killed run left behind, ends it, and lets only one bench at a time go ahead.
 */
export function benchFolder(): string {
  return join(openDataDir(process.env.DATA_DIR ?? join(REPOSITORY_ROOT, '.data')), 'bench');
}
