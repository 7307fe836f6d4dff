import type { Verdict } from './verdict';

/**
 * How far a statement about a version is believed. `provisional`: it was taken, and nobody who is trusted has signed it, or not any more. `verified`: its
 * signers satisfy the policy. `contested`: its signature may well be good, and an approver has said that it is not to be relied on.
 */
export const ATTESTATION_STATES = ['provisional', 'verified', 'contested'] as const;
export type AttestationState = (typeof ATTESTATION_STATES)[number];

/** Whether trust is all that a refused document lacks: under other trust or another policy it may be accepted as it is. */
export function lacksTrustAlone({ outcome, checks }: Verdict): boolean {
  const failed = checks.filter(check => check.outcome === 'fail');
  return outcome === 'rejected' && failed.length > 0 && failed.every(({ reason }) => reason === 'ERR_PACK_SIGNATURE_UNTRUSTED');
}

/** The reason of the first check that failed; null when none did. */
export function firstFailure({ checks }: Verdict): string | null {
  return checks.find(check => check.outcome === 'fail')?.reason ?? null;
}
