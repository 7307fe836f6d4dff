import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { DomainError } from '@packs/domain';
import type { RegistryCredential } from './settings';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `docker login` and those like it leave behind. */
interface DockerConfig {
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: unknown;
}

const CONFIG_MAX_BYTES = 1024 * 1024;
/** Becomes part of a program's name, so it is no path. */
const HELPER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const HELPER_MS = 10_000;
const HELPER_OUTPUT_MAX = 64 * 1024;
/** docker-credential-helpers: what `get` prints where there is nothing to be had. */
const NOT_FOUND = 'credentials not found';
/** How a helper or a config names a token that stands for a user and a password. */
const TOKEN_USER = '<token>';

/**
 * The credentials of docker's `config.json` for a registry: by the helper that is named for it, else by the common store, else as they lie in the file.
 * @param host name and, where it has one, port
 * @param env `DOCKER_CONFIG` names the folder, in place of `.docker` in the user's own; helpers are looked for on its `PATH`
 * @throws DomainError ERR_PACK_AUTHENTICATION when there are credentials that cannot be read; it never holds any of them
 */
export async function dockerCredentials(host: string, env: Environment): Promise<RegistryCredential | undefined> {
  const file = path.join(env['DOCKER_CONFIG'] || path.join(env['HOME'] || homedir(), '.docker'), 'config.json');
  const config = await readConfig(file);
  if (!config) return undefined;
  if (Object.hasOwn(config.credHelpers, host)) return askHelper(config.credHelpers[host], host, env);
  const stored = config.credsStore ? await askHelper(config.credsStore, host, env) : undefined;
  return stored ?? credentialIn(config.auths, host, file);
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw unreadable(`${file} cannot be read (${error.code ?? 'unknown'})`);
  });
  if (content === undefined) return undefined;
  if (content.length > CONFIG_MAX_BYTES) throw unreadable(`${file} is too large`);
  const { auths, credHelpers, credsStore } = parseObject(content, `${file} is not a JSON object`);
  return { auths: asObject(auths), credHelpers: asObject(credHelpers), credsStore };
}

export function credentialIn(auths: DockerConfig['auths'], host: string, file: string): RegistryCredential | undefined {
  const key = Object.hasOwn(auths, host) ? host : Object.keys(auths).find(name => hostOf(name) === host);
  if (key === undefined) return undefined;
  const { auth, username, password, identitytoken } = asObject(auths[key]);
  if (typeof identitytoken === 'string' && identitytoken !== '') return { username: TOKEN_USER, password: identitytoken };
  if (typeof auth === 'string' && auth !== '') return decodeAuth(auth, `${file}: "auth" of ${host} is not a name and a password in base64`);
  return typeof username === 'string' && typeof password === 'string' && username !== '' ? { username, password } : undefined;
}

/** Keys are written as `host`, `https://host` and, by old clients, `https://host/v1/`. Those of single repositories are no registry's. */
function hostOf(key: string): string | undefined {
  return /^(?:https?:\/\/)?([^/]+)(?:\/|\/v[12]\/?)?$/.exec(key)?.[1];
}

function decodeAuth(auth: string, complaint: string): RegistryCredential {
  const [, username, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, 'base64').toString().replace(/\0+$/, '')) ?? [];
  if (username === undefined || password === undefined) throw unreadable(complaint);
  return { username, password };
}

/** docker-credential-helpers: `docker-credential-<name> get`, the registry on its stdin, JSON on its stdout. */
async function askHelper(name: unknown, host: string, env: Environment): Promise<RegistryCredential | undefined> {
  if (typeof name !== 'string' || !HELPER.test(name)) throw unreadable('the configuration names a credential helper that is no name');
  const { code, output } = await runHelper(`docker-credential-${name}`, host, env);
  if (code !== 0) {
    if (output.toLowerCase().includes(NOT_FOUND)) return undefined;
    throw unreadable(`docker-credential-${name} gave no credentials for ${host} (exit ${code ?? 'by a signal'})`);
  }
  const { Username: username, Secret: password } = parseObject(output, `docker-credential-${name} did not answer with a JSON object`);
  if (typeof username === 'string' && typeof password === 'string') return username && password ? { username, password } : undefined;
  throw unreadable(`docker-credential-${name} answered without Username and Secret`);
}

async function runHelper(program: string, host: string, env: Environment): Promise<{ code: number | null; output: string }> {
  const signal = AbortSignal.timeout(HELPER_MS);
  const helper = spawn(program, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' });
  // What it started itself may hold its output open.
  signal.addEventListener('abort', () => helper.stdout.destroy());
  let received = 0;
  helper.stdout.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received <= HELPER_OUTPUT_MAX) return;
    helper.kill('SIGKILL');
    helper.stdout.destroy();
  });
  // One that answers without reading is no failure.
  helper.stdin.on('error', () => undefined).end(`${host}\n`);
  try {
    const [output, [code]] = await Promise.all([text(helper.stdout), once(helper, 'close') as Promise<[number | null]>]);
    return { code, output };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ERR_STREAM_PREMATURE_CLOSE') throw unreadable(`${program} answered more than ${HELPER_OUTPUT_MAX} bytes`);
    throw unreadable(
      code === 'ABORT_ERR' ? `${program} did not answer within ${HELPER_MS / 1000} s` : `${program} cannot be run (${code})`,
    );
  }
}

function parseObject(content: string, complaint: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Its message would show what lies there.
  }
  throw unreadable(complaint);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function unreadable(message: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message);
}
