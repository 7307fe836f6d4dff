import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint } from 'jose';

/** Whole PEM blocks; what lies between them is comment. */
const BLOCKS = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

export interface TokenKey {
  /** RFC 7638: the same on every replica that has the key. */
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The keys of a PEM file: the first signs, all verify, so a new key is put in front and the old one goes when its last token has expired.
 * @throws Error naming the file and what is wrong with it
 */
export async function readTokenKeys(file: string): Promise<readonly [TokenKey, ...TokenKey[]]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`${file} cannot be read`, { cause });
  });
  const [first, ...others] = await Promise.all((text.match(BLOCKS) ?? []).map((pem, at) => toKey(pem, `key ${at + 1} of ${file}`)));
  if (!first) throw new Error(`${file} holds no private key (PKCS#8 PEM, P-256 or Ed25519)`);
  return [first, ...others];
}

async function toKey(pem: string, what: string): Promise<TokenKey> {
  const privateKey = parse(pem, what);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
  const alg = type === 'ed25519' ? 'EdDSA' : type === 'ec' && details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  if (!alg) throw new Error(`${what} is neither a P-256 nor an Ed25519 key`);
  const publicKey = createPublicKey(privateKey);
  return { kid: await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })), alg, privateKey, publicKey };
}

function parse(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`${what} is no private key that can be read`, { cause });
  }
}
