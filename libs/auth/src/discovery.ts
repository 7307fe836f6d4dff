export interface Discovery {
  readonly jwksUri: URL;
  readonly tokenEndpoint: URL | undefined;
}

/** OpenID Connect Discovery 1.0 §4. @throws Error when the issuer does not answer as one */
export async function discover(issuer: string): Promise<Discovery> {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`, { redirect: 'error', signal: AbortSignal.timeout(5_000) });
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown; token_endpoint?: unknown };
  if (!answer.ok || document.issuer !== issuer || typeof document.jwks_uri !== 'string') {
    throw new Error(`no OpenID discovery document for ${issuer}`);
  }
  const endpoint = document.token_endpoint;
  return { jwksUri: new URL(document.jwks_uri), tokenEndpoint: typeof endpoint === 'string' ? new URL(endpoint) : undefined };
}
