import { createHash, randomUUID, type webcrypto } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';

export interface ProofKey {
  readonly alg: string;
  readonly privateKey: webcrypto.CryptoKey;
  readonly jwk: JWK;
}

export async function aProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: await exportJWK(publicKey) };
}

/** A proof as RFC 9449 §4.2 has it, with the changes given; undefined takes a claim or a header parameter away. */
export function aProof(
  { alg, privateKey, jwk }: ProofKey,
  claims: JWTPayload & { readonly htm: string; readonly htu: string },
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ jti: randomUUID(), ...claims }).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header }).sign(privateKey);
}

/** RFC 9449 §4.2, `ath`. */
export function hashOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}
