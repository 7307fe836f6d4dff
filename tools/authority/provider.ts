import { randomBytes } from 'node:crypto';
import { SCOPES } from '@packs/domain';
import Provider, { type Configuration, type JWKS } from 'oidc-provider';
import type { AuthorityClient } from './clients';
import { SIGNING_ALGORITHM, type SigningKey } from './signing-keys';

export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly tokenTtlSeconds: number;
  readonly clients: readonly AuthorityClient[];
  readonly keys: readonly SigningKey[];
}

/** An OIDC issuer for machine clients: client credentials only, JWT access tokens for the registry. */
export function makeProvider(options: ProviderOptions): Provider {
  return new Provider(options.issuer, configurationOf(options));
}

function configurationOf({ audience, tokenTtlSeconds, clients, keys }: ProviderOptions): Configuration {
  // A resource indicator is an absolute URI; the audience in the token is the plain name.
  const resource = `urn:${audience}`;
  return {
    clients: clients.map(({ clientId, secret, scope, tenant }) => ({
      client_id: clientId,
      client_secret: secret,
      scope,
      tenant,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: SIGNING_ALGORITHM,
    })),
    ttl: { ClientCredentials: tokenTtlSeconds },
    jwks: { keys } as unknown as JWKS,
    scopes: [...SCOPES],
    responseTypes: [],
    clientAuthMethods: ['client_secret_basic'],
    extraClientMetadata: { properties: ['tenant'] },
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    extraTokenClaims: (_ctx, token) => ({ tenant: token.client?.tenant }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: (ctx, _indicator, client) => {
          // A request without scope gets all of the client's (RFC 6749 section 3.3).
          const params = ctx.oidc.params;
          if (params && params.scope === undefined) params.scope = client.scope;
          return {
            scope: SCOPES.join(' '),
            audience,
            accessTokenTTL: tokenTtlSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: SIGNING_ALGORITHM } },
          };
        },
      },
    },
  };
}
