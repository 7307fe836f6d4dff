import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../stack/repository-root';

/** TypeScript sources under a folder, without tests; paths are relative to the repository's root and use `/`. */
export function sourcesUnder(folder: string): string[] {
  return readdirSync(join(REPOSITORY_ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(path => path.endsWith('.ts') && !/\.(spec|fixture)\.ts$/.test(path))
    .sort();
}

export function readSource(path: string): string {
  return readFileSync(join(REPOSITORY_ROOT, path), 'utf8');
}

/** Sources under a folder in which a name occurs as a whole word. */
export function sourcesNaming(folder: string, name: string): string[] {
  const word = new RegExp(`\\b${name}\\b`);
  return sourcesUnder(folder).filter(path => word.test(readSource(path)));
}
