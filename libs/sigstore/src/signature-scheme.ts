import { constants, createVerify, verify, type VerifyKeyObjectInput } from 'node:crypto';
import type { SignatureScheme } from '@packs/domain';
import { digestOf, type ArtifactSubject, type HashName } from './artifact-subject';
import type { LoadedKey } from './public-key';
import { NEEDS_BYTES, verifiesDigest } from './signed-digest';

const ED25519_BYTES = 64;
/** SEQUENCE of two INTEGERs of at most 33, or 49, bytes each. Of P-384 one as short as those of P-256 does not occur: its numbers would begin with 240 zero bits. */
const ECDSA_DER = { p256: { min: 8, max: 72 }, p384: { min: 73, max: 104 } };

/** What is hashed before it is signed; Ed25519 hashes the message itself, twice, so that it must be held as a whole (RFC 8032 §5.1.7). */
const HASH_OF: Readonly<Record<SignatureScheme, HashName | undefined>> = {
  'rsa-pkcs1-sha256': 'sha256',
  'rsa-pss-sha256': 'sha256',
  'ecdsa-p256-sha256': 'sha256',
  'ecdsa-p384-sha384': 'sha384',
  ed25519: undefined,
};

export function signingHashOf(scheme: SignatureScheme): HashName | undefined {
  return HASH_OF[scheme];
}

/** Whether a signature has the form every signature of the key has; most keys can be ruled out by it. */
export function fits({ type, modulusBytes }: LoadedKey, signature: Buffer): boolean {
  if (type === 'rsa') return signature.length === modulusBytes;
  if (type === 'ed25519') return signature.length === ED25519_BYTES;
  const { min, max } = ECDSA_DER[type];
  return signature.length >= min && signature.length <= max && signature[0] === 0x30 && signature[1] === signature.length - 2;
}

export function needsWholeMessage({ key }: LoadedKey): boolean {
  return HASH_OF[key.scheme] === undefined;
}

export function verifyMessage(key: LoadedKey, message: Uint8Array, signature: Buffer): boolean {
  return guarded(() => verify(HASH_OF[key.key.scheme], message, optionsOf(key), signature));
}

/** Whether the signature is of the artifact, by its bytes where they are at hand and by its digest where they are not. */
export function verifySubject(key: LoadedKey, subject: ArtifactSubject, signature: Buffer): boolean | typeof NEEDS_BYTES {
  if (subject.bytes) return verifyMessage(key, subject.bytes, signature);
  const hash = HASH_OF[key.key.scheme];
  const digest = hash && digestOf(subject, hash);
  if (!digest) return NEEDS_BYTES;
  return verifiesDigest(key.object, hash, digest, signature, key.key.scheme === 'rsa-pss-sha256');
}

export interface StreamVerifier {
  update(chunk: Uint8Array): void;
  verify(signature: Buffer): boolean;
}

export function streamVerifier(key: LoadedKey): StreamVerifier {
  const hash = HASH_OF[key.key.scheme];
  if (hash === undefined) throw new Error(`${key.key.scheme} verifies whole messages alone`);
  const verifier = createVerify(hash);
  return {
    update: chunk => void verifier.update(chunk),
    verify: signature => guarded(() => verifier.verify(optionsOf(key), signature)),
  };
}

const PADDING: Readonly<Record<SignatureScheme, Omit<VerifyKeyObjectInput, 'key'>>> = {
  'rsa-pkcs1-sha256': { padding: constants.RSA_PKCS1_PADDING },
  // Signers choose the salt's length; the encoding tells it (RFC 8017 §9.1.2).
  'rsa-pss-sha256': { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
  'ecdsa-p256-sha256': { dsaEncoding: 'der' },
  'ecdsa-p384-sha384': { dsaEncoding: 'der' },
  ed25519: {},
};

function optionsOf({ key, object }: LoadedKey): VerifyKeyObjectInput {
  return { key: object, ...PADDING[key.scheme] };
}

/** OpenSSL reports some malformed signatures as errors, which prove no more than `false`. */
function guarded(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
