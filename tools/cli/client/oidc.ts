import { DomainError } from '@packs/domain';
import { send } from './http';

interface ClientCredentials {
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: string;
  /** Absent: everything the client may have. */
  readonly scope?: string;
}

interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Discovery {
  readonly issuer?: unknown;
  readonly token_endpoint?: unknown;
  readonly token_endpoint_auth_methods_supported?: unknown;
}

/** Where a registry's tokens come from, asked of the registry itself. */
export async function discoverIssuer(registry: string): Promise<string> {
  const answer = (await json(await send(new URL(`${registry}/api/client-config`)))) as { issuer?: unknown } | undefined;
  if (typeof answer?.issuer === 'string') return answer.issuer;
  throw new DomainError('ERR_PACK_UNAVAILABLE', `${registry} does not say who issues its tokens; give --issuer`);
}

/** An access token by the client credentials grant (RFC 6749 §4.4) at the token endpoint OpenID Connect Discovery 1.0 names. */
export async function requestToken(credentials: ClientCredentials, now: number): Promise<AccessToken> {
  const { endpoint, basic } = await discover(credentials.issuer);
  const { clientId, secret, scope } = credentials;
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) });
  const headers: Record<string, string> = { accept: 'application/json' };
  if (basic) headers['authorization'] = `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(secret)}`).toString('base64')}`;
  else for (const [name, value] of Object.entries({ client_id: clientId, client_secret: secret })) body.set(name, value);
  const response = await send(endpoint, { method: 'POST', headers, body });
  const answer = ((await json(response)) ?? {}) as {
    access_token?: unknown;
    expires_in?: unknown;
    error?: unknown;
    error_description?: unknown;
  };
  if (response.status >= 500) throw new DomainError('ERR_PACK_UNAVAILABLE', `the token endpoint answered ${response.status}`);
  if (typeof answer.access_token !== 'string') {
    const reason = answer.error_description ?? answer.error ?? `HTTP ${response.status}`;
    throw new DomainError('ERR_PACK_AUTHENTICATION', `${credentials.issuer} gave ${clientId} no token: ${String(reason)}`);
  }
  const seconds = typeof answer.expires_in === 'number' ? answer.expires_in : 300;
  return { token: answer.access_token, expiresAt: now + seconds * 1000 };
}

async function discover(issuer: string): Promise<{ endpoint: URL; basic: boolean }> {
  const response = await send(new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
  const found = ((await json(response)) ?? {}) as Discovery;
  // OpenID Connect Discovery 1.0 §4.3: another issuer's document would send the secret elsewhere.
  if (typeof found.issuer !== 'string' || found.issuer.replace(/\/$/, '') !== issuer.replace(/\/$/, '')) {
    throw new DomainError('ERR_PACK_UNAVAILABLE', `${issuer} has no discovery document of its own`);
  }
  const endpoint = found.token_endpoint;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
    throw new DomainError('ERR_PACK_UNAVAILABLE', `${issuer} names no token endpoint`);
  if (issuer.startsWith('https:') && !endpoint.startsWith('https:'))
    throw new DomainError('ERR_PACK_UNAVAILABLE', `the token endpoint of ${issuer} is not https`);
  const methods = found.token_endpoint_auth_methods_supported;
  return { endpoint: new URL(endpoint), basic: !Array.isArray(methods) || methods.includes('client_secret_basic') };
}

/** RFC 6749 §2.3.1 encodes both parts as a form does. */
function formEncode(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}

async function json(response: Response): Promise<unknown> {
  return response.json().catch(() => undefined);
}
