import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from './private-file';

/** Passwords of the stack's own servers, made once per data directory. */
export interface StackSecrets {
  readonly postgresAdmin: string;
  /** Password of each process's PostgreSQL login role. */
  readonly databases: Readonly<Record<string, string>>;
  /** Password of each NATS user. */
  readonly nats: Readonly<Record<string, string>>;
}

/** Reads `secrets.json` and adds what is missing; a secret that exists is never changed, the servers know it already. */
export function loadSecrets(
  dataDir: string,
  wanted: { readonly databases: readonly string[]; readonly nats: readonly string[] },
): StackSecrets {
  const path = join(dataDir, 'secrets.json');
  const text = readPrivateFile(path);
  const known: Partial<StackSecrets> = text === undefined ? {} : (JSON.parse(text) as Partial<StackSecrets>);
  const secrets: StackSecrets = {
    postgresAdmin: known.postgresAdmin ?? password(),
    databases: complete(known.databases, wanted.databases),
    nats: complete(known.nats, wanted.nats),
  };
  const next = `${JSON.stringify(secrets, null, 2)}\n`;
  if (next !== text) writePrivateFile(path, next);
  return secrets;
}

function complete(known: Readonly<Record<string, string>> = {}, names: readonly string[]): Record<string, string> {
  return { ...known, ...Object.fromEntries(names.filter(name => !known[name]).map(name => [name, password()])) };
}

/** 192 bits in URL-safe characters that start with a letter: valid in URLs, in NATS configuration and in SQL literals without quoting. */
function password(): string {
  return `p${randomBytes(24).toString('base64url')}`;
}
