// Installs the dependencies when they are missing or no longer those of package-lock.json.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BootstrapError, ROOT, findNode, fromRoot, runScript } from './runtime.mjs';

const STAMP = fromRoot('node_modules', '.packs-install');
const PROGRESS_EVERY_MS = 5000;

/** Makes node_modules current and answers the path of a Node that can run the product. */
export async function install() {
  const wanted = fingerprint();
  if (readIfThere(STAMP) !== wanted) {
    if (!installedByHand()) await npmCi();
    writeFileSync(STAMP, wanted);
  }
  return findNode();
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const name of ['package.json', 'package-lock.json']) hash.update(readFileSync(fromRoot(name))).update('\0');
  // A node_modules folder does not move between platforms: it holds native binaries.
  return hash.update(`${process.platform}-${process.arch}`).digest('hex');
}

/** True when somebody ran npm themselves and every package of the lock file is there in its version. */
function installedByHand() {
  const present = readIfThere(fromRoot('node_modules', '.package-lock.json'));
  if (present === undefined) return false;
  try {
    const installed = JSON.parse(present).packages;
    const { packages } = JSON.parse(readFileSync(fromRoot('package-lock.json'), 'utf8'));
    return Object.entries(packages).every(
      ([where, entry]) =>
        where === '' ||
        (entry.optional && !installed[where]) ||
        (installed[where]?.version === entry.version && existsSync(fromRoot(where))),
    );
  } catch {
    return false;
  }
}

async function npmCi() {
  const [command, ...prefix] = npmCommand();
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  console.log('Installing dependencies (about a minute, 750 MB; only when package-lock.json changed) ...');
  const progress = setInterval(() => console.log(`  still installing, ${elapsed()}`), PROGRESS_EVERY_MS);
  try {
    // loglevel error: on an older Node, npm warns about `engines` although the product then runs on the bundled Node.
    await collect(command, [...prefix, 'ci', '--no-audit', '--no-fund', '--loglevel=error']);
  } finally {
    clearInterval(progress);
  }
  console.log(`  dependencies installed, ${elapsed()}`);
}

function npmCommand() {
  const own = process.env.npm_execpath;
  if (own && /npm-cli\.[cm]?js$/.test(path.basename(own))) return [process.execPath, own];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

function collect(command, args) {
  return new Promise((resolve, reject) => {
    // npm tells the cause first and its usage after it.
    const head = [];
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        head.push(...text.split('\n').filter(line => line.replace('npm error', '').trim() !== ''));
        head.splice(12);
      });
    }
    child.once('error', error => reject(failure(`npm could not be run: ${error.message}`)));
    child.once('close', code => (code === 0 ? resolve() : reject(failure(`npm ci ended with code ${code}:\n${head.join('\n')}`))));
  });
}

function failure(cause) {
  const outOfStep = cause.includes('EUSAGE');
  return new BootstrapError(
    'install dependencies',
    cause,
    outOfStep
      ? 'package.json and package-lock.json disagree: run `npm install` and commit both.'
      : 'Check that npm reaches its package registry and that the disk has 1 GB free, then run the command again.',
  );
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runScript(async () => {
    console.log(`Node for the product: ${await install()}`);
  });
}
