import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../stack/private-file';

export const SIGNING_ALGORITHM = 'RS256';

/** A private RSA key as JWK. */
export interface SigningKey extends JsonWebKey {
  readonly kid: string;
  readonly alg: typeof SIGNING_ALGORITHM;
  readonly use: 'sig';
}

/** The published keys; the first signs. */
export function loadSigningKeys(folder: string): readonly SigningKey[] {
  const text = readPrivateFile(keysFile(folder));
  return text === undefined ? save(folder, [makeKey()]) : (JSON.parse(text) as SigningKey[]);
}

/** A new key signs from now on; the one before stays published for the tokens it signed, older ones go. */
export function rotateSigningKeys(folder: string): readonly SigningKey[] {
  return save(folder, [makeKey(), ...loadSigningKeys(folder).slice(0, 1)]);
}

function keysFile(folder: string): string {
  return join(folder, 'signing-keys.json');
}

function save(folder: string, keys: readonly SigningKey[]): readonly SigningKey[] {
  writePrivateFile(keysFile(folder), `${JSON.stringify(keys, null, 2)}\n`);
  return keys;
}

function makeKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(9).toString('base64url'), alg: SIGNING_ALGORITHM, use: 'sig' };
}
