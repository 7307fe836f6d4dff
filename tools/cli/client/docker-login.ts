import { dockerCredentials } from '@packs/registry-client';
import type { CliContext } from '../terminal/cli-context';
import { parseBaseUrl } from './http';
import { discoverIssuer, requestToken } from './oidc';
import { readClaims } from './token-claims';

/**
 * A token by the credentials that docker's `config.json` or its helpers have for the registry: a client and its secret, or any name with an
 * access token. Undefined: they have none.
 */
export async function dockerToken(context: CliContext, registry: string): Promise<string | undefined> {
  const credential = await dockerCredentials(new URL(registry).host, context.env);
  if (!credential) return undefined;
  const { username: clientId, password: secret } = credential;
  if (readClaims(secret)) return secret;
  const issuer = parseBaseUrl(await discoverIssuer(registry), 'the issuer');
  return (await requestToken({ issuer, clientId, secret }, context.now())).token;
}
