import { readFile } from 'node:fs/promises';
import { DomainError } from '@packs/domain';
import type { CliContext } from '../terminal/cli-context';
import { readLogin, writeLogin, type StoredLogin } from './config-file';
import { dockerToken } from './docker-login';
import { parseBaseUrl } from './http';
import { requestToken } from './oidc';

/** Where the registry is and what proves who asks. */
export interface Session {
  readonly url: string;
  readonly token: string;
}

/** Less than this is too little for a request to arrive with. */
const RENEW_BEFORE_MS = 30_000;

/**
 * The stored login, its token renewed when it is about to end; `STELLA_REGISTRY_URL` and `STELLA_TOKEN` come first. For a registry without
 * a login the credentials that docker keeps for it.
 * @throws DomainError ERR_PACK_AUTHENTICATION
 */
export async function openSession(context: CliContext): Promise<Session> {
  const { STELLA_REGISTRY_URL: givenUrl, STELLA_TOKEN: givenToken } = context.env;
  const login = await readLogin(context.env);
  const url = givenUrl ? parseBaseUrl(givenUrl, 'STELLA_REGISTRY_URL', { insecure: true }) : login?.url;
  if (!url) throw new DomainError('ERR_PACK_AUTHENTICATION', 'no registry is known');
  if (givenToken) return { url, token: givenToken };
  const token = login?.url === url ? undefined : await dockerToken(context, url);
  if (token !== undefined) return { url, token };
  if (!login) throw new DomainError('ERR_PACK_AUTHENTICATION', `not logged in to ${url}`);
  return { url, token: await currentToken(context, login) };
}

async function currentToken(context: CliContext, login: StoredLogin): Promise<string> {
  if (login.expiresAt - context.now() > RENEW_BEFORE_MS) return login.token;
  if (!login.secretFile) throw new DomainError('ERR_PACK_AUTHENTICATION', `the login of ${login.clientId} has ended`);
  const secret = await readSecretFile(login.secretFile);
  const renewed = await requestToken({ ...login, secret }, context.now());
  await writeLogin(context.env, { ...login, ...renewed });
  return renewed.token;
}

export async function readSecretFile(file: string): Promise<string> {
  const secret = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (secret === '') throw new DomainError('ERR_PACK_REQUEST_INVALID', `${file} is empty`);
  return secret;
}
