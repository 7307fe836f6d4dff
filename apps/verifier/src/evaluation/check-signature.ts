import type { Digest, PolicyRequirements } from '@packs/domain';
import type { VerificationAnswer } from '@packs/sigstore';
import type { CheckList } from './check-list';

const DAY_MS = 24 * 60 * 60 * 1000;

interface FoundSignature {
  readonly answer: VerificationAnswer;
  readonly evidence: Digest;
  /** Which it is, for people. */
  readonly field?: string;
  readonly evaluatedAt: string;
}

/** Whether a policy has to be told what logs and timestamp authorities say. */
export function asksForEvidence({ log, maxAgeDays }: PolicyRequirements): boolean {
  return log === true || maxAgeDays !== undefined;
}

/** Whether a valid signature has what the policy asks of each; one that has not counts for nothing. */
export function checkSignature(requirements: PolicyRequirements, found: FoundSignature, list: CheckList): boolean {
  const { log, maxAgeDays } = requirements;
  return (
    checkAlgorithm(requirements, found, list).length > 0 &&
    (log !== true || checkLog(found, list)) &&
    (maxAgeDays === undefined || checkAge(maxAgeDays, found, list))
  );
}

/** Those of the signers whose algorithm is allowed. */
export function allowedSigners({ algorithms }: PolicyRequirements, { signers }: VerificationAnswer): VerificationAnswer['signers'] {
  return algorithms ? signers.filter(signer => algorithms.some(scheme => scheme === signer.scheme)) : signers;
}

/** As `allowedSigners`, told of in the list. */
export function checkAlgorithm(
  { algorithms }: PolicyRequirements,
  { answer, evidence, field }: FoundSignature,
  list: CheckList,
): VerificationAnswer['signers'] {
  if (!algorithms) return answer.signers;
  const allowed = allowedSigners({ algorithms }, answer);
  if (allowed.length > 0) {
    list.pass('algorithm', evidence);
    return allowed;
  }
  const made = [...new Set(answer.signers.map(({ scheme }) => scheme))].join(', ');
  const message = `the signature is by ${made}; the policy allows ${algorithms.join(', ')}`;
  list.failFor('algorithm', 'algorithm-not-allowed', { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message, field }, evidence);
  return [];
}

function checkLog({ answer, evidence, field }: FoundSignature, list: CheckList): boolean {
  if (answer.isProven) {
    list.pass('log', evidence);
    return true;
  }
  const message = 'the policy asks for the proof that a trusted log has the signature, and there is none that holds';
  list.failFor('log', 'log-not-proven', { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message, field }, evidence);
  return false;
}

function checkAge(days: number, { answer: { signedAt }, evidence, field, evaluatedAt }: FoundSignature, list: CheckList): boolean {
  const fault = { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', field } as const;
  if (signedAt === undefined) {
    const message = 'the policy asks how old the signature is, and nobody who is trusted says when it was made';
    list.failFor('age', 'signature-undated', { ...fault, message }, evidence);
    return false;
  }
  if (Date.parse(evaluatedAt) - Date.parse(signedAt) <= days * DAY_MS) {
    list.pass('age', evidence);
    return true;
  }
  const message = `the signature was made at ${signedAt}; the policy takes those of ${days} days`;
  list.failFor('age', 'signature-too-old', { ...fault, message }, evidence);
  return false;
}
