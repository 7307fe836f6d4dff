import { firstFailure, type AttestationState } from '@packs/domain';
import type { AnsweredVerdict, CommandBus, ExistingVersion, StandingAttestation, TrustState } from '@packs/ports';
import { askVerifier } from '../judgement/ask-verifier';

/** What a statement counts for, and by what verdict; a person's decision has none. */
export interface NextState {
  readonly state: AttestationState;
  readonly reason: string | null;
  readonly judged: AnsweredVerdict | null;
}

export interface Standing {
  readonly tenant: string;
  readonly existing: ExistingVersion;
  readonly standing: StandingAttestation;
  readonly trust: TrustState;
  readonly evaluatedAt: string;
}

/** What a recorded statement counts for under this trust, by the policy that accepted it. */
export async function judgeStanding(
  commands: CommandBus,
  { tenant, existing, standing, trust, evaluatedAt }: Standing,
): Promise<NextState & { readonly judged: AnsweredVerdict }> {
  const { packId, version } = existing;
  const request = {
    tenant,
    channel: existing.channel,
    packType: existing.type,
    attestation: standing.document,
    subject: { bundle: existing.digest, manifest: existing.manifestDigest },
    policies: standing.policy ? [standing.policy] : [],
    trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
    evaluatedAt,
  };
  const { verdict, verdictHash: hash, question } = await askVerifier(commands, 'verify-attestation', request, { packId, version });
  const isAccepted = verdict.outcome === 'accepted';
  return {
    state: isAccepted ? 'verified' : 'provisional',
    reason: isAccepted ? null : firstFailure(verdict),
    judged: { verdict, hash, question },
  };
}
