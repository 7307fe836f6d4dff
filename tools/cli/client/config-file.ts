import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { DomainError } from '@packs/domain';
import type { CliContext } from '../terminal/cli-context';

/** What a login leaves behind. It holds a token: only its owner can read it. */
export interface StoredLogin {
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scope?: string;
  /** Absolute path of the file with the client's secret; absent when it came by stdin, and then the token is not renewed. */
  readonly secretFile?: string;
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

function configFile(env: CliContext['env']): string {
  return path.join(env['STELLA_CONFIG_DIR'] || path.join(homedir(), '.config', 'stella'), 'config.json');
}

export async function readLogin(env: CliContext['env']): Promise<StoredLogin | undefined> {
  const file = configFile(env);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
    await chmod(file, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const login = parse(text);
  if (!login) throw new DomainError('ERR_PACK_AUTHENTICATION', `${file} is not readable; log in again`);
  return login;
}

function parse(text: string): StoredLogin | undefined {
  try {
    const value = JSON.parse(text) as StoredLogin;
    const texts = [value.url, value.issuer, value.clientId, value.token];
    return texts.every(item => typeof item === 'string') && typeof value.expiresAt === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

export async function writeLogin(env: CliContext['env'], login: StoredLogin): Promise<string> {
  const file = configFile(env);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${randomUUID()}`;
  const handle = await open(next, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(login, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  return file;
}

/** @returns false when there was none */
export async function removeLogin(env: CliContext['env']): Promise<boolean> {
  const known = (await readLogin(env).catch(() => null)) !== undefined;
  await rm(configFile(env), { force: true });
  return known;
}
