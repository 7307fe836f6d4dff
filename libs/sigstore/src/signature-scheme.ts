import { constants, createVerify, verify, type VerifyKeyObjectInput } from 'node:crypto';
import type { SignatureScheme } from '@packs/domain';
import type { LoadedKey } from './public-key';

const ED25519_BYTES = 64;
/** SEQUENCE of two INTEGERs of at most 33 bytes each. */
const P256_DER_MAX = 72;

/** Whether a signature has the form every signature of the key has; most keys can be ruled out by it. */
export function fits({ type, modulusBytes }: LoadedKey, signature: Buffer): boolean {
  if (type === 'rsa') return signature.length === modulusBytes;
  if (type === 'ed25519') return signature.length === ED25519_BYTES;
  return signature.length >= 8 && signature.length <= P256_DER_MAX && signature[0] === 0x30 && signature[1] === signature.length - 2;
}

/** Ed25519 hashes the message twice, so that it must be held as a whole (RFC 8032 §5.1.7). */
export function needsWholeMessage({ key }: LoadedKey): boolean {
  return key.scheme === 'ed25519';
}

export function verifyMessage(key: LoadedKey, message: Uint8Array, signature: Buffer): boolean {
  return guarded(() => verify(needsWholeMessage(key) ? null : 'sha256', message, optionsOf(key), signature));
}

export interface StreamVerifier {
  update(chunk: Uint8Array): void;
  verify(signature: Buffer): boolean;
}

export function streamVerifier(key: LoadedKey): StreamVerifier {
  const verifier = createVerify('sha256');
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
