import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The clone's root, found from the sources as well as from dist/. */
export const REPOSITORY_ROOT = findRoot(__dirname);

/** The compiled entry point of a process or tool. */
export function builtFile(...segments: string[]): string {
  return join(REPOSITORY_ROOT, 'dist', ...segments);
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json')) && existsSync(join(from, 'nx.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('The stack runs from a clone: no package.json with an nx.json beside it was found above it.');
  return findRoot(parent);
}
