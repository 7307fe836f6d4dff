import { importJWK, SignJWT, type JWK } from 'jose';
import { loadSigningKeys, SIGNING_ALGORITHM } from './signing-keys';

export interface AccessTokenClaims {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  readonly tenant?: string;
  readonly scope?: string;
  /** Negative: already expired. */
  readonly expiresInSeconds: number;
}

/** A token signed by the Authority's current key with any claims: what the Authority itself never issues, tests need to see refused. */
export async function signAccessToken(authorityFolder: string, claims: AccessTokenClaims): Promise<string> {
  const [key] = loadSigningKeys(authorityFolder);
  if (!key) throw new Error(`${authorityFolder} holds no signing key.`);
  const now = Math.floor(Date.now() / 1000);
  const { clientId, tenant, scope } = claims;
  return new SignJWT({ client_id: clientId, ...(tenant && { tenant }), ...(scope && { scope }) })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setSubject(clientId)
    .setIssuedAt(Math.min(now, now + claims.expiresInSeconds - 1))
    .setExpirationTime(now + claims.expiresInSeconds)
    .sign(await importJWK(key as JWK, SIGNING_ALGORITHM));
}
