/** What a token says of its bearer. Not verified: that is the registry's to do. */
interface TokenClaims {
  readonly sub?: string;
  readonly client_id?: string;
  readonly tenant?: string;
  readonly scope?: string;
  readonly exp?: number;
}

/** @returns undefined when the token is not a JWT */
export function readClaims(token: string): TokenClaims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? (claims as TokenClaims) : undefined;
  } catch {
    return undefined;
  }
}
