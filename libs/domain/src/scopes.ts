/** What a token may do. `packs.admin` manages a tenant's trust and policies (the fifth role of the original). */
export const SCOPES = ['packs.read', 'packs.write', 'packs.approve', 'packs.run', 'packs.admin'] as const;
export type Scope = (typeof SCOPES)[number];

const ALIASES: ReadonlyMap<string, Scope> = new Map([
  ['packs:read', 'packs.read'],
  ['packs:publish', 'packs.write'],
  ['packs:execute', 'packs.run'],
  ['packs:approve', 'packs.approve'],
  ['packs:admin', 'packs.admin'],
]);

/** The scopes of this product among `granted`, by their canonical names; others are dropped. `Packs.Read` is `packs.read`. */
export function canonicalScopes(granted: readonly string[]): Scope[] {
  const found = new Set<Scope>();
  for (const name of granted) {
    const lower = name.toLowerCase();
    const scope = SCOPES.find(known => known === lower) ?? ALIASES.get(lower);
    if (scope) found.add(scope);
  }
  return [...found];
}

/** Who asks, proven by a token. */
export interface Principal {
  /** The token's `sub`. */
  readonly subject: string;
  /** How the audit log names the principal: `user:<sub>` or `client:<client_id>`. */
  readonly actor: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  /** Seconds since the epoch at which the token ends. */
  readonly expiresAt: number;
  /** Thumbprint (RFC 7638) of the key that the token is bound to (RFC 9449 §6); absent: a bearer token. */
  readonly keyThumbprint?: string;
}
