import type { Check, Verdict } from './verdict';

/**
 * How far a statement about a version is believed. `provisional`: it was taken, and nobody who is trusted has signed it, or not any more. `verified`: its
 * signers satisfy the policy. `contested`: its signature may well be good, and an approver has said that it is not to be relied on.
 */
export const ATTESTATION_STATES = ['provisional', 'verified', 'contested'] as const;
export type AttestationState = (typeof ATTESTATION_STATES)[number];

/**
 * Whether trust is all that a refused document lacks: under other trust or another policy it may be accepted as it is.
 * @param namesSigner whether the document says whose signature it is. Of one that does not, a signature by an unknown key looks like any other that no
 *   trusted key has made.
 */
export function lacksTrustAlone({ outcome, checks }: Verdict, namesSigner: boolean): boolean {
  const failed = checks.filter(check => check.outcome === 'fail');
  const isTrust = ({ id, reason }: Check): boolean =>
    reason === 'ERR_PACK_SIGNATURE_UNTRUSTED' || (!namesSigner && id === 'signature' && reason === 'ERR_PACK_SIGNATURE_INVALID');
  return outcome === 'rejected' && failed.length > 0 && failed.every(isTrust);
}

/** The reason of the first check that failed; null when none did. */
export function firstFailure({ checks }: Verdict): string | null {
  return checks.find(check => check.outcome === 'fail')?.reason ?? null;
}
