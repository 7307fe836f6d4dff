import { createPublicKey, type KeyObject } from 'node:crypto';
import { DomainError, sha256, type Digest, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { decodeBase64 } from './canonical-base64';
import { rsaFault } from './rsa-key';

export type KeyType = 'rsa' | 'p256' | 'p384' | 'ed25519';

/** A public key that passed every check, in the one form it is stored in. */
export interface PublicKey {
  readonly type: KeyType;
  readonly object: KeyObject;
  /** SubjectPublicKeyInfo PEM, 64 columns, one trailing line feed. */
  readonly pem: string;
  readonly keyId: Digest;
  /** Bytes of an RSA modulus, which every signature of the key has; 0 for other keys. */
  readonly modulusBytes: number;
}

/** A trusted key with its parsed form. */
export interface LoadedKey extends PublicKey {
  readonly key: TrustedKey;
}

export const KEY_TYPE_OF_SCHEME: Readonly<Record<SignatureScheme, KeyType>> = {
  'rsa-pkcs1-sha256': 'rsa',
  'rsa-pss-sha256': 'rsa',
  'ecdsa-p256-sha256': 'p256',
  'ecdsa-p384-sha384': 'p384',
  ed25519: 'ed25519',
};

const MAX_PEM_LENGTH = 4096;
const SPKI_PEM = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----(?:\r?\n)?$/;

/** Parsed once per TrustedKey object: as long as its trust material is held, so is its key. */
const loaded = new WeakMap<TrustedKey, LoadedKey>();

/** @throws DomainError ERR_PACK_TRUST_INVALID when the key is not one that `trustedKeyFromPem` makes */
export function loadKey(key: TrustedKey): LoadedKey {
  const known = loaded.get(key);
  if (known) return known;
  const parsed = parsePublicKey(key.publicKey);
  if (KEY_TYPE_OF_SCHEME[key.scheme] !== parsed.type) throw refused(`scheme ${key.scheme} does not fit the type of the key`);
  const entry = { ...parsed, key };
  loaded.set(key, entry);
  return entry;
}

/** SHA-256 of the key's SubjectPublicKeyInfo (DER), as cosign hints a key. */
export function keyIdOf(key: TrustedKey): Digest {
  return loadKey(key).keyId;
}

/** @throws DomainError ERR_PACK_TRUST_INVALID */
export function parsePublicKey(pem: string): PublicKey {
  const object = canonicalKey(importSpki(pem));
  const type = keyTypeOf(object);
  const modulusBytes = type === 'rsa' ? checkedModulus(object) : 0;
  return {
    type,
    object,
    pem: object.export({ type: 'spki', format: 'pem' }).toString(),
    keyId: sha256(object.export({ type: 'spki', format: 'der' })),
    modulusBytes,
  };
}

function importSpki(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) throw refused('this is a private key: give its public key, and replace it if it was sent in error');
  const body = pem.length <= MAX_PEM_LENGTH ? SPKI_PEM.exec(pem.trim())?.[1] : undefined;
  const der = body ? decodeBase64(body.replace(/[\r\n]/g, '')) : undefined;
  if (!der) throw refused('not one PEM block BEGIN PUBLIC KEY (SubjectPublicKeyInfo)');
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    // The DER reader ignores what follows the key.
    if (key.export({ type: 'spki', format: 'der' }).equals(der)) return key;
  } catch (error) {
    throw refused('not a readable public key', error);
  }
  throw refused('not the DER form of one public key');
}

/** One key has several encodings (EC points may be compressed); going through JWK leaves one, and with it one key id. */
function canonicalKey(key: KeyObject): KeyObject {
  keyTypeOf(key);
  try {
    return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
  } catch (error) {
    throw refused('not a public key of a supported kind', error);
  }
}

function keyTypeOf(key: KeyObject): KeyType {
  if (key.asymmetricKeyType === 'rsa') return 'rsa';
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const curve = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : undefined;
  if (curve === 'prime256v1') return 'p256';
  if (curve === 'secp384r1') return 'p384';
  throw refused('keys are RSA (rsaEncryption), ECDSA P-256, ECDSA P-384 or Ed25519');
}

function checkedModulus(key: KeyObject): number {
  const fault = rsaFault(key);
  if (fault !== undefined) throw refused(fault);
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function refused(message: string, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_TRUST_INVALID', message, { errors: [{ pointer: '/publicKey', message }], cause });
}
