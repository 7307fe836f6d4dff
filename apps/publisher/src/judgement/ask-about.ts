import { judgedAttestations, type ReverifyVersionReply } from '@packs/contracts';
import type { SigningPolicy } from '@packs/domain';
import type { Clock, CommandBus, JudgeableVersion, TrustState } from '@packs/ports';
import { askVerifier, type Answered } from './ask-verifier';

/** Whose version is asked about, and who is asked. */
export interface Bench {
  readonly tenant: string;
  readonly packId: string;
  readonly commands: CommandBus;
  readonly clock: Clock;
}

interface Question {
  readonly channel: string;
  readonly policies: readonly SigningPolicy[];
  readonly trust: TrustState;
  readonly timeoutMs?: number;
}

/** The verdict of whichever of the policies covers the published version in the channel. */
export function askAbout(
  { tenant, packId, commands, clock }: Bench,
  { version, type, bundle, manifest, signatures, attestations }: JudgeableVersion,
  { channel, policies, trust: { digest, epoch, material }, timeoutMs }: Question,
): Promise<Answered<ReverifyVersionReply>> {
  const request = {
    ...{ tenant, channel, packType: type, bundle, manifest },
    signatures: [...signatures],
    ...judgedAttestations(policies, attestations),
    policies: [...policies],
    trust: { digest, epoch, material },
    evaluatedAt: clock.now().toISOString(),
  };
  return askVerifier(commands, 'reverify-version', request, { packId, version }, timeoutMs);
}

/** The policy that let it in: a later policy speaks of later publishes. */
export function ownPolicies({ verdictPolicy }: Pick<JudgeableVersion, 'verdictPolicy'>): readonly SigningPolicy[] {
  return verdictPolicy ? [verdictPolicy] : [];
}
