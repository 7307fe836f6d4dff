import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { DomainError, type Digest, type SignatureScheme } from '@packs/domain';
import { keyIdOf, trustedKeyFromPem } from '@packs/sigstore';

export interface SigningKey {
  readonly object: KeyObject;
  readonly scheme: SignatureScheme;
  readonly keyId: Digest;
}

/** @throws DomainError ERR_PACK_TRUST_INVALID for a key no registry would trust */
export function signingKeyFromPem(pem: string, scheme?: SignatureScheme): SigningKey {
  const object = privateKey(pem);
  const spki = createPublicKey(object).export({ type: 'spki', format: 'pem' }).toString();
  const key = trustedKeyFromPem('signing-key', spki, scheme);
  return { object, scheme: key.scheme, keyId: keyIdOf(key) };
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new DomainError('ERR_PACK_TRUST_INVALID', 'the key is not a private key in PKCS#8 PEM without a passphrase', { cause });
  }
}
