import type { ReverifyVersionReply } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { JudgeableVersion, TrustState } from '@packs/ports';
import { askAbout, ownPolicies, type Bench } from '../judgement/ask-about';
import type { Answered } from '../judgement/ask-verifier';
import { withoutContested } from '../judgement/version-basis';

/**
 * The verdict of a channel's policy on a published version, for which no contested attestation counts. A version whose stored signatures no longer satisfy the policy that let
 * it in is not served to anybody, so no channel may point at it, whatever that channel's own policy says.
 * @throws DomainError ERR_PACK_WITHDRAWN with the reasons
 */
export async function judgeVersion(
  bench: Bench,
  version: JudgeableVersion,
  channel: string,
  trust: TrustState,
): Promise<Answered<ReverifyVersionReply>> {
  if (version.verifiedEpoch !== trust.epoch) await requireServable(bench, version, trust);
  return askAbout(bench, withoutContested(version), { channel, policies: trust.policies, trust });
}

async function requireServable(bench: Bench, version: JudgeableVersion, trust: TrustState): Promise<void> {
  const { verdict, faults } = await askAbout(bench, version, { channel: version.channel, policies: ownPolicies(version), trust });
  if (verdict.outcome === 'accepted') return;
  throw new DomainError(
    'ERR_PACK_WITHDRAWN',
    `${bench.packId} ${version.version} is withdrawn: its signatures no longer satisfy its policy`,
    {
      details: {
        reasons: [...new Set(verdict.checks.filter(check => check.outcome === 'fail').map(check => check.reason))],
        trustEpoch: trust.epoch,
      },
      errors: faults,
    },
  );
}
