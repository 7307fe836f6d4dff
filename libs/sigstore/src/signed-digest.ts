import { constants, createHash, publicDecrypt, verify, type KeyObject } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import type { HashName } from './artifact-subject';
import { rsaFault } from './rsa-key';

/** Who can say nothing without the bytes: Ed25519 hashes the message twice (RFC 8032 §5.1.7). */
export const NEEDS_BYTES = 'needs-bytes';

/** DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashName, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** The hash a key signs with where a document does not say (sigstore algorithm registry); undefined for keys that are not taken. */
export function hashOf(key: KeyObject): HashName | 'none' | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'none';
  if (key.asymmetricKeyType === 'rsa') return rsaFault(key) === undefined ? 'sha256' : undefined;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === 'prime256v1' ? 'sha256' : curve === 'secp384r1' ? 'sha384' : undefined;
}

/** Whether `signature` is by `key` over bytes with this digest, of which nothing else is known. OpenSSL checks only what it hashed itself. */
export function verifiesDigest(
  key: KeyObject,
  hash: HashName,
  digest: Buffer,
  signature: Buffer,
  pss = false,
): boolean | typeof NEEDS_BYTES {
  if (key.asymmetricKeyType === 'ed25519') return NEEDS_BYTES;
  try {
    if (key.asymmetricKeyType === 'ec') return verifiesEcdsa(key, digest, signature);
    if (key.asymmetricKeyType !== 'rsa' || signature.length !== modulusBytes(key)) return false;
    return pss ? verifiesPss(key, hash, digest, signature) : verifiesPkcs1(key, hash, digest, signature);
  } catch {
    return false;
  }
}

/** Whether `signature` is by `key` over `message`. */
export function verifiesBytes(key: KeyObject, hash: HashName | 'none', message: Uint8Array, signature: Buffer): boolean {
  try {
    return verify(hash === 'none' ? null : hash, message, key, signature);
  } catch {
    return false;
  }
}

/** A signature is as long as the modulus, whatever it begins with (RFC 8017 §8.1.2 and §8.2.2, step 1). */
function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function verifiesEcdsa(key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const { crv, x, y } = key.export({ format: 'jwk' });
  const curve = crv === 'P-256' ? p256 : crv === 'P-384' ? p384 : undefined;
  if (!curve || x === undefined || y === undefined) return false;
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return curve.verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' });
}

/** EMSA-PKCS1-v1_5 is made anew and compared as a whole: nothing of it is parsed (RFC 8017 §8.2.2). */
function verifiesPkcs1(key: KeyObject, hash: HashName, digest: Buffer, signature: Buffer): boolean {
  const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  const info = Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest]);
  const padding = Buffer.alloc(encoded.length - info.length - 3, 0xff);
  return padding.length >= 8 && encoded.equals(Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), info]));
}

/** EMSA-PSS with MGF1 and a salt of any length (RFC 8017 §9.1.2). */
function verifiesPss(key: KeyObject, hash: HashName, digest: Buffer, signature: Buffer): boolean {
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1;
  const whole = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  const encoded = whole.subarray(whole.length - Math.ceil(bits / 8));
  if (whole.length !== encoded.length && whole[0] !== 0) return false;
  const masked = encoded.subarray(0, encoded.length - digest.length - 1);
  const check = encoded.subarray(masked.length, -1);
  const keep = 0xff >> (8 * encoded.length - bits);
  if (encoded.at(-1) !== 0xbc || masked.length < 1 || ((masked[0] ?? 0) & ~keep & 0xff) !== 0) return false;
  const block = mgf1(hash, check, masked.length).map((byte, at) => byte ^ (masked[at] ?? 0));
  block[0] = (block[0] ?? 0) & keep;
  const start = block.findIndex(byte => byte !== 0);
  if (start < 0 || block[start] !== 1) return false;
  const salted = createHash(hash)
    .update(Buffer.alloc(8))
    .update(digest)
    .update(block.subarray(start + 1));
  return salted.digest().equals(check);
}

function mgf1(hash: HashName, seed: Buffer, length: number): Uint8Array {
  const parts: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let index = 0, size = 0; size < length; index++) {
    counter.writeUInt32BE(index);
    const part = createHash(hash).update(seed).update(counter).digest();
    parts.push(part);
    size += part.length;
  }
  return Uint8Array.from(Buffer.concat(parts).subarray(0, length));
}
