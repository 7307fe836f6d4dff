// Compiles apps, libs and tools into dist/. Needs the dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BootstrapError, ROOT, childEnvironment, findNode, fromRoot, runScript } from './runtime.mjs';

const SOURCES = ['apps', 'libs', 'tools'];
const SWC = fromRoot('node_modules', '@swc', 'cli', 'bin', 'swc.js');
const STAMP = fromRoot('dist', '.sources');

/**
 * Builds when a source changed. The new tree is complete before it takes the place of the old one, so that a running stack never sees
 * half a build and nothing of a removed source stays behind.
 */
export function build(node = findNode()) {
  const wanted = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  // Beside dist/, at its depth: source maps hold relative paths.
  const next = `dist-${process.pid}`;
  try {
    compile(node, next);
    writeFileSync(fromRoot(next, '.sources'), wanted);
    const old = `${next}-old`;
    if (existsSync(fromRoot('dist'))) renameSync(fromRoot('dist'), fromRoot(old));
    renameSync(fromRoot(next), fromRoot('dist'));
    rmSync(fromRoot(old), { recursive: true, force: true });
  } finally {
    rmSync(fromRoot(next), { recursive: true, force: true });
  }
}

/** Builds into dist/ and keeps building on every change; resolves with the compiler's process after the first complete build. */
export function buildAndWatch(node = findNode()) {
  rmSync(fromRoot('dist'), { recursive: true, force: true });
  const child = spawn(node, [SWC, ...swcArguments('dist'), '--watch'], {
    cwd: ROOT,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = text => {
      said = (said + text).slice(-8000);
      if (/Successfully compiled/.test(said)) resolve(child);
      else if (/Failed to compile/.test(said)) reject(failure(said));
      if (/error|failed/i.test(text)) process.stderr.write(text);
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.once('error', error => reject(failure(error.message)));
    child.once('exit', code => reject(failure(`the compiler ended with code ${code}:\n${said}`)));
  });
}

function compile(node, into) {
  const { status, stdout, stderr, error } = spawnSync(node, [SWC, ...swcArguments(into)], {
    cwd: ROOT,
    env: childEnvironment(),
    encoding: 'utf8',
  });
  if (status !== 0) throw failure(error?.message ?? `${stdout}${stderr}`.trim());
}

function swcArguments(into) {
  const sources = SOURCES.filter(folder => existsSync(fromRoot(folder)));
  const ignored = ['**/*.spec.ts', '**/lint-fixtures/**'];
  const aliases = JSON.stringify({ '@packs/*': ['libs/*/src/index.ts'] });
  return [
    ...sources,
    ...['--out-dir', into, '--extensions', '.ts', '--ignore', ignored.join(',')],
    ...['-C', `jsc.baseUrl=${ROOT}`, '-C', `jsc.paths=${aliases}`],
  ];
}

function failure(cause) {
  return new BootstrapError(
    'build',
    cause,
    'Correct the file named above (`npx tsc -p tsconfig.json` says more) and run the command again.',
  );
}

function fingerprint() {
  const hash = createHash('sha256').update(swcArguments('dist').join('\0'));
  for (const file of ['.swcrc', 'package-lock.json']) hash.update(readFileSync(fromRoot(file)));
  for (const folder of SOURCES) {
    if (!existsSync(fromRoot(folder))) continue;
    const files = readdirSync(fromRoot(folder), { recursive: true }).map(String);
    for (const file of files.filter(name => name.endsWith('.ts')).sort()) {
      const { size, mtimeMs } = statSync(fromRoot(folder, file));
      hash.update(`${folder}/${file}\0${size}\0${mtimeMs}\0`);
    }
  }
  return hash.digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runScript(() => build());
