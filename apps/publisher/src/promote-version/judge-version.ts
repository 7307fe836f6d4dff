import { judgedAttestations, type ReverifyVersionReply } from '@packs/contracts';
import { DomainError, type SigningPolicy } from '@packs/domain';
import type { Clock, CommandBus, JudgeableVersion, TrustState } from '@packs/ports';
import { askVerifier, type Answered } from '../judgement/ask-verifier';
import { withoutContested } from '../judgement/version-basis';

interface Bench {
  readonly tenant: string;
  readonly packId: string;
  readonly commands: CommandBus;
  readonly clock: Clock;
}

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
  return askAbout(bench, withoutContested(version), channel, trust.policies, trust);
}

async function requireServable(bench: Bench, version: JudgeableVersion, trust: TrustState): Promise<void> {
  const { verdict, faults } = await askAbout(bench, version, version.channel, version.verdictPolicy ? [version.verdictPolicy] : [], trust);
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

/** The verdict of whichever of the policies covers the version in the channel. */
export function askAbout(
  { tenant, packId, commands, clock }: Bench,
  { version, type, bundle, manifest, signatures, attestations }: JudgeableVersion,
  channel: string,
  policies: readonly SigningPolicy[],
  { digest, epoch, material }: TrustState,
): Promise<Answered<ReverifyVersionReply>> {
  const request = {
    tenant,
    channel,
    packType: type,
    bundle,
    manifest,
    signatures: signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
    ...judgedAttestations(policies, attestations),
    policies: [...policies],
    trust: { digest, epoch, material },
    evaluatedAt: clock.now().toISOString(),
  };
  return askVerifier(commands, 'reverify-version', request, { packId, version });
}
