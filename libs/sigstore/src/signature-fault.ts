import type { Digest, ErrorCode, TrustedKey } from '@packs/domain';
import type { VerificationReason } from './reasons';

/** What a signature proved. A refusal is a value: an exception means that the question could not be answered. */
export type SignatureResult =
  | { readonly valid: true; readonly key: TrustedKey; readonly keyId: Digest }
  | { readonly valid: false; readonly reason: ErrorCode; readonly message: string };

export type SignatureRefusal =
  | 'ERR_PACK_SIGNATURE_INVALID'
  | 'ERR_PACK_SIGNATURE_UNTRUSTED'
  | 'ERR_PACK_KEY_EXPIRED'
  | 'ERR_PACK_KEY_NOT_YET_VALID'
  | 'ERR_PACK_KEY_REVOKED'
  | 'ERR_PACK_IDENTITY_REVOKED'
  | 'ERR_PACK_DIGEST_REVOKED';

/** Ends an evaluation with its reason; never leaves this library. */
export class SignatureFault extends Error {
  constructor(
    readonly reason: SignatureRefusal,
    readonly code: VerificationReason,
    message: string,
  ) {
    super(message);
    this.name = 'SignatureFault';
  }
}

export function invalid(message: string, code: VerificationReason = 'document-malformed'): SignatureFault {
  return new SignatureFault('ERR_PACK_SIGNATURE_INVALID', code, message);
}

export function untrusted(message: string, code: VerificationReason = 'key-untrusted'): SignatureFault {
  return new SignatureFault('ERR_PACK_SIGNATURE_UNTRUSTED', code, message);
}
