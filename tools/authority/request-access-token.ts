/** An access token by the client credentials grant, as any client of the registry gets it: discovery first, then the token endpoint. */
export async function requestAccessToken(issuer: string, clientId: string, secret: string, scope?: string): Promise<string> {
  const { token_endpoint: endpoint } = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
    token_endpoint: string;
  };
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
  });
  const body = (await response.json()) as { access_token?: string; error?: string; error_description?: string };
  if (!body.access_token)
    throw new Error(`${issuer} gave ${clientId} no token: ${body.error_description ?? body.error ?? response.status}`);
  return body.access_token;
}
