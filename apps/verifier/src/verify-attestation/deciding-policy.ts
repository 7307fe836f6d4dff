import type { VerifyAttestationRequest } from '@packs/contracts';
import { isSatisfied, selectPolicy, type SigningPolicy } from '@packs/domain';
import type { VerificationAnswer } from '@packs/sigstore';
import { ruleFor } from '../evaluation/attestation-evaluator';
import { allowedSigners } from '../evaluation/check-signature';
import { ruleSigner } from '../evaluation/verified-identities';

/**
 * The policy that a statement is judged by: that of the version's place, unless another of the tenant's, for a channel that the version may be promoted
 * to, asks for statements of this type and has their signers.
 */
export function decidingPolicy(request: VerifyAttestationRequest, answer: VerificationAnswer | undefined): SigningPolicy | null {
  const own = selectPolicy(request.policies, request);
  const predicateType = answer?.predicateType;
  const asking = request.policies
    .filter(({ packType }) => packType === undefined || packType === request.packType)
    .filter(({ require }) => require?.attestations?.some(one => one.predicateType === predicateType))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const candidates = own ? [own, ...asking] : asking;
  return candidates.find(policy => answer && hasSigners(policy, answer)) ?? own ?? null;
}

function hasSigners(policy: SigningPolicy, answer: VerificationAnswer): boolean {
  return isSatisfied(ruleFor(policy, answer.predicateType), allowedSigners(policy.require ?? {}, answer).map(ruleSigner));
}
