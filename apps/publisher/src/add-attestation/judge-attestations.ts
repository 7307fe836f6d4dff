import type { VerifyBundleReply } from '@packs/contracts';
import type { Clock, CommandBus, NewAttestation, RegistryTx, TrustState } from '@packs/ports';
import { askVerifier } from '../judgement/ask-verifier';
import type { PreparedArtifact } from '../publish-pack/prepare-artifact';
import type { Submission } from '../publish-pack/submission';
import { recordAttestation, type AttestedVersion } from './record-attestation';

interface Bench {
  readonly commands: CommandBus;
  readonly clock: Clock;
  readonly trust: TrustState;
}

export interface JudgedAttestation {
  readonly added: Omit<NewAttestation, 'addedAt'>;
  readonly about: AttestedVersion;
}

/** Those of the statements that came while their version waited which are accepted now; the others count for nothing. */
export async function judgeAttestations(
  { commands, clock, trust }: Bench,
  { tenant, actor, source, channel, attestations = [] }: Submission,
  { pack }: VerifyBundleReply,
  { bundle, config, ociManifest }: PreparedArtifact,
): Promise<JudgedAttestation[]> {
  const about = { config: config.digest, digest: bundle.digest, manifestDigest: ociManifest.digest };
  const judged: JudgedAttestation[] = [];
  if (!pack) return judged;
  for (const { document, referrer } of attestations) {
    const request = {
      ...{ tenant, channel },
      packType: pack.type,
      attestation: document,
      subject: { bundle: bundle.digest, manifest: ociManifest.digest },
      policies: [...trust.policies],
      trust: { digest: trust.digest, epoch: trust.epoch, material: trust.material },
      evaluatedAt: clock.now().toISOString(),
    };
    const { verdict, verdictHash, predicateType, question } = await askVerifier(commands, 'verify-attestation', request, pack);
    if (verdict.outcome === 'rejected' || predicateType === null) continue;
    const { packId, version } = pack;
    const signers = verdict.identities.map(({ name, keyId, scheme }) => ({ name, keyId, scheme }));
    const added = {
      tenant,
      packId,
      version,
      document,
      predicateType,
      referrer,
      signers,
      verdict,
      verdictHash,
      question,
      actor,
      source,
      blobs: [],
    };
    judged.push({ added: { ...added, subject: ociManifest.digest }, about });
  }
  return judged;
}

export function addAttestation(tx: RegistryTx, { added, about }: JudgedAttestation, now: Date): Promise<void> {
  return recordAttestation(tx, { ...added, addedAt: now.toISOString() }, about, now);
}
