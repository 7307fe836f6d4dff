import type { VerifyBundleReply } from '@packs/contracts';
import type { Check } from '@packs/domain';
import type { TrustState } from '@packs/ports';
import type { Submission } from './submission';

/** What further signatures and attestations can change, however the check ended. */
const WAITING: readonly Check['id'][] = ['policy', 'algorithm', 'log', 'age', 'attestation'];
/** That nobody signed yet, or nobody who counts, is what further signatures can change. */
const CURABLE: readonly Check['reason'][] = ['ERR_PACK_SIGNATURE_MISSING', 'ERR_PACK_SIGNATURE_UNTRUSTED'];

/**
 * Whether a bundle was refused for want of signatures and attestations alone, under a policy that lets it wait for them. A signature that was sent with it and does
 * not verify is a mistake to be told; one that was found beside it counts for nothing.
 */
export function mayWait({ verdict }: VerifyBundleReply, { policies }: TrustState, { signatures }: Submission): boolean {
  const policy = policies.find(({ name, version }) => name === verdict.policy?.name && version === verdict.policy.version);
  if (policy?.unsigned !== 'pending') return false;
  const found = new Set(signatures.filter(({ referrer }) => referrer).map(({ blob }) => blob.digest));
  return verdict.checks
    .filter(({ outcome }) => outcome === 'fail')
    .every(({ id, reason, evidence }) => {
      if (id !== 'signature') return WAITING.includes(id);
      return CURABLE.includes(reason) || (evidence !== undefined && found.has(evidence));
    });
}

export function reasonsOf({ verdict }: Pick<VerifyBundleReply, 'verdict'>): string[] {
  return [...new Set(verdict.checks.filter(({ outcome }) => outcome === 'fail').map(({ reason }) => reason))];
}
