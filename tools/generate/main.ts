import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { REPOSITORY_ROOT } from '../stack/repository-root';
import { asyncapi } from './asyncapi';
import { configuration } from './configuration';
import { errors } from './errors';
import type { GeneratedFile } from './generated-file';
import { messages } from './messages';
import { openapi } from './openapi';
import { SCHEMA_FOLDER, schemas } from './schemas';
import { where } from './where';

const GENERATORS = { openapi, asyncapi, messages, schemas, configuration, errors, where };

/** Writes the generated files; with `--check` it only says which of them are not what the code says. */
async function main(): Promise<void> {
  const check = process.argv.includes('--check');
  const files = await everyFile();
  const changed = files.filter(({ path, content }) => !existsSync(absolute(path)) || readFileSync(absolute(path), 'utf8') !== content);
  const stale = leftOver(files);
  if (!check) {
    for (const { path, content } of changed) write(path, content);
    for (const path of stale) rmSync(absolute(path));
  }
  const all = [...changed.map(({ path }) => path), ...stale];
  if (all.length === 0) process.stdout.write(`${files.length} generated files are up to date\n`);
  else process.stdout.write(`${check ? 'not up to date, run `npm run gen`' : 'written'}:\n${all.map(path => `  ${path}\n`).join('')}`);
  if (check && all.length > 0) process.exitCode = 1;
}

async function everyFile(): Promise<GeneratedFile[]> {
  const files = Object.entries(GENERATORS).flatMap(([name, generate]) => {
    try {
      return generate();
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
  });
  return Promise.all(files.map(formatted));
}

/** As `npm run format` leaves it, so that the two never fight over a file. */
async function formatted({ path, content }: GeneratedFile): Promise<GeneratedFile> {
  if (!/\.(json|md)$/.test(path)) return { path, content };
  const options = await resolveConfig(absolute(path));
  return { path, content: await format(content, { ...options, filepath: absolute(path) }) };
}

/** Schemas of what is no longer there. */
function leftOver(files: readonly GeneratedFile[]): string[] {
  const wanted = new Set(files.map(({ path }) => path));
  if (!existsSync(absolute(SCHEMA_FOLDER))) return [];
  return readdirSync(absolute(SCHEMA_FOLDER), { recursive: true, encoding: 'utf8' })
    .map(name => `${SCHEMA_FOLDER}/${name.replaceAll('\\', '/')}`)
    .filter(path => path.endsWith('.json') && !wanted.has(path));
}

function write(path: string, content: string): void {
  mkdirSync(dirname(absolute(path)), { recursive: true });
  writeFileSync(absolute(path), content);
}

function absolute(path: string): string {
  return join(REPOSITORY_ROOT, path);
}

main().catch((error: unknown) => {
  process.stderr.write(`gen: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
