import type { VerificationAnswer } from '@packs/sigstore';

/** Takes how long one signature took to check, in seconds (`registry_pack_signature_verify_seconds`). */
export abstract class SignatureTimer {
  abstract observe(seconds: number, result: SignatureOutcome): void;
}

type SignatureOutcome = 'valid' | 'invalid' | 'untrusted';

export function timedAs({ outcome, refusal }: VerificationAnswer): SignatureOutcome {
  if (outcome !== 'signature-refused') return 'valid';
  return refusal?.error === 'ERR_PACK_SIGNATURE_INVALID' ? 'invalid' : 'untrusted';
}
