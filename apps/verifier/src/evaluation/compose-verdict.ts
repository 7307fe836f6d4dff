import { policyDigest, verdictHash, type Digest, type Verdict, type VerdictFault } from '@packs/domain';
import type { CheckList } from './check-list';
import type { SignatureFindings } from './signature-evaluator';
import type { TrustRef } from './trust-materials';

export interface VerdictSubject {
  readonly bundle: Digest;
  readonly config?: Digest;
  readonly manifest?: Digest;
  readonly attestation?: Digest;
}

export interface ComposedVerdict {
  readonly verdict: Verdict;
  readonly verdictHash: Digest;
  readonly faults: VerdictFault[];
}

export const NOT_EVALUATED: SignatureFindings = { accepted: false, policy: null, evidence: [], identities: [] };

/** Nothing but the inputs and what was found goes into a verdict: evaluated again, it has the same hash. */
export function composeVerdict(
  subject: VerdictSubject,
  request: { readonly trust: TrustRef; readonly evaluatedAt: string },
  { accepted, policy, evidence, attestations, identities }: SignatureFindings,
  { checks, faults }: CheckList,
): ComposedVerdict {
  const verdict: Verdict = {
    schema: 'stellaops.io/verdict.v1',
    outcome: accepted ? 'accepted' : 'rejected',
    subject: {
      bundle: subject.bundle,
      ...(subject.config ? { config: subject.config } : {}),
      ...(subject.manifest ? { manifest: subject.manifest } : {}),
      ...(subject.attestation ? { attestation: subject.attestation } : {}),
    },
    policy: policy && { name: policy.name, version: policy.version, digest: policyDigest(policy) },
    trust: { digest: request.trust.digest, epoch: request.trust.epoch },
    evidence,
    ...(attestations ? { attestations } : {}),
    checks,
    identities,
    evaluatedAt: request.evaluatedAt,
  };
  return { verdict, verdictHash: verdictHash(verdict), faults };
}
