import { open } from 'node:fs/promises';
import { DomainError } from '@packs/domain';
import { credentialIn } from './docker-credentials';
import type { CredentialsOf } from './settings';

const MAX_BYTES = 1024 * 1024;

/**
 * Credentials in a file of a service's own, as the `auths` of docker's `config.json`. It is read each time, so that a new password is
 * taken without a restart. No helper is run.
 * @throws DomainError (when asked) ERR_PACK_AUTHENTICATION when others may read it too, or when it cannot be read; it never holds any of them
 */
export function credentialsIn(file: string | undefined): CredentialsOf {
  return async host => {
    if (file === undefined) return undefined;
    const { auths } = parse(file, await read(file)) as { auths?: unknown };
    return typeof auths === 'object' && auths !== null ? credentialIn(auths as Readonly<Record<string, unknown>>, host, file) : undefined;
  };
}

async function read(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0) throw unreadable(`${file} may be read by others than its owner: its mode has to be 0600`);
      if (size > MAX_BYTES) throw unreadable(`${file} is too large`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw unreadable(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function parse(file: string, content: string): object {
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Told below, without the content.
  }
  throw unreadable(`${file} is not a JSON object`);
}

function unreadable(message: string): DomainError {
  return new DomainError('ERR_PACK_AUTHENTICATION', message);
}
