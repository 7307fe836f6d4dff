// What every bootstrap script shares. Runs on Node >= 18 with nothing installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const fromRoot = (...segments) => path.join(ROOT, ...segments);

const REQUIRED_MAJOR = 24;

/** A failure the user can act on: which step, why, and what to do. */
export class BootstrapError extends Error {
  constructor(step, cause, remedy) {
    super(`Failed: ${step}\nCause:  ${cause}\nRemedy: ${remedy}`);
    this.name = 'BootstrapError';
  }
}

/** Runs a script's body and turns its failure into a message and an exit code. */
export async function runScript(body) {
  try {
    process.exitCode = (await body(process.argv.slice(2))) ?? 0;
  } catch (error) {
    console.error(error instanceof BootstrapError ? `\n${error.message}\n` : error);
    process.exitCode = 1;
  }
}

/** The path of a Node that is new enough: the one among the dependencies first, then the one that runs this script. */
export function findNode() {
  const bundled = fromRoot('node_modules', '.bin', 'node');
  if (existsSync(bundled) && majorOf(bundled) >= REQUIRED_MAJOR) return bundled;
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return process.execPath;
  throw new BootstrapError(
    'find Node',
    `Node ${REQUIRED_MAJOR} or newer is needed; this is ${process.version} and no bundled one fits ${process.platform}-${process.arch}.`,
    `Install Node ${REQUIRED_MAJOR} LTS, put it first on PATH and run the command again.`,
  );
}

function majorOf(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim().replace(/^v/, '').split('.')[0]) : 0;
}

/**
 * The environment of a child: node_modules/.bin first on PATH, so that whatever it starts finds the right Node, and a place where Node
 * keeps what it compiled, so that the next start need not compile it again.
 */
export function childEnvironment(extra = {}) {
  const bin = fromRoot('node_modules', '.bin');
  return {
    NODE_COMPILE_CACHE: fromRoot('node_modules', '.cache', 'packs'),
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
    ...extra,
  };
}

/** Runs a child in the foreground, in this process group, and answers its exit code. */
export function runForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: childEnvironment(), ...options });
    // The terminal signals the whole group; a signal sent to this process alone is passed on.
    const forward = signal => child.kill(signal);
    const ignore = () => undefined;
    process.on('SIGTERM', forward);
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGTERM', forward);
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * Runs the stack outside the terminal's process group, so that each signal reaches it exactly once: npm, the shell and the terminal all
 * pass Ctrl-C on. The IPC channel tells it when this process is gone.
 */
export function runStack(node, script, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [script, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      env: childEnvironment(environment),
    });
    let asked = 0;
    const forward = signal => {
      // Echoes of one key press arrive within milliseconds; a later press means "hurry".
      if (Date.now() - asked < 1000) return;
      asked = Date.now();
      child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    const watch = onParentGone(() => forward('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      if (signal) console.error(`The stack was ended by ${signal}. What it left running is cleaned up by the next start.`);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** npm passes a signal to its shell, which dies of it without passing it on. Outside npm, losing the parent is what `nohup` asks for. */
function onParentGone(act) {
  const parent = process.ppid;
  if (!process.env.npm_lifecycle_event) return undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 500);
  return timer;
}
