import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StepError } from './step-error';

const OLDEST = [2, 9, 10] as const;
/** Where packages put servers, whether or not the user's PATH has it. */
const USUAL_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin'];

const BY_HAND = [
  'Install nats-server 2.9.10 or newer and run the command again:',
  '  Debian, Ubuntu   sudo apt-get install nats-server',
  '  macOS            brew install nats-server',
  '  elsewhere        put the nats-server program on PATH',
  'or point NATS_URL at a running server with JetStream.',
].join('\n        ');

/** The nats-server on PATH; installed by the system's package manager first when there is none and this user may. */
export function ensureNatsServer(path: string, say: (text: string) => void): string {
  const binary = findOn(path) ?? installed(path, say);
  const version = versionOf(binary);
  if (isOlder(version)) throw new StepError(`${binary} is version ${version}; ${OLDEST.join('.')} or newer is needed.`, BY_HAND);
  return binary;
}

function installed(path: string, say: (text: string) => void): string {
  const reason = tryInstall(say);
  const binary = findOn(path);
  if (!binary) throw new StepError(`there is no nats-server on PATH, and it could not be installed: ${reason}.`, BY_HAND);
  return binary;
}

/** Why there still is none, if there is none afterwards. */
function tryInstall(say: (text: string) => void): string {
  if (!existsSync('/usr/bin/apt-get')) return 'this system has no apt-get';
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (asRoot.length > 0 && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return 'this user may not install packages';
  say('  installing nats-server with apt-get (the package also sets up a system service; this stack does not use it)');
  const apt = (...args: string[]) => {
    const [command = '', ...rest] = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return spawnSync(command, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const install = () => apt('install', '-y', '--no-install-recommends', 'nats-server');
  if (install().status === 0) return '';
  // A fresh machine or image has no package lists yet.
  apt('update');
  const { status, stderr } = install();
  return status === 0 ? '' : `apt-get install failed: ${stderr?.trim().split('\n').at(-1) ?? 'no reason given'}`;
}

function findOn(path: string): string | undefined {
  return [...path.split(delimiter), ...USUAL_FOLDERS].map(folder => join(folder, 'nats-server')).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(binary: string): string {
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return /(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1] ?? '0.0.0';
}

export function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  const difference = OLDEST.map((wanted, index) => (parts[index] ?? 0) - wanted).find(delta => delta !== 0);
  return difference !== undefined && difference < 0;
}
