/** What a token allows on one resource, as the Docker token flow names it. */
export interface TokenAccess {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly string[];
}

export interface RegistryGrant {
  /** Null: no credentials were given. */
  readonly tenant: string | null;
  readonly subject: string;
  readonly actor: string;
  readonly access: readonly TokenAccess[];
  /** Whether they may write in their tenant's namespace. By itself it allows nothing. */
  readonly writes: boolean;
  /** Thumbprint (RFC 7638) of the key that whoever uses the token has to prove possession of; null: a bearer token. */
  readonly keyThumbprint: string | null;
}

export interface RegistryToken extends RegistryGrant {
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** The registry's own short-lived tokens for /v2. They are no tokens of the Authority, and nothing but /v2 accepts them. */
export abstract class RegistryTokens {
  abstract issue(token: RegistryToken): Promise<string>;
  /** Whether the token says that it is the registry's own. Proves nothing. */
  abstract claims(token: string): boolean;
  /** @throws DomainError ERR_PACK_AUTHENTICATION */
  abstract verify(token: string): Promise<RegistryToken>;
}
