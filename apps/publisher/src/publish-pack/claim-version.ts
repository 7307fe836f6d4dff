import { newEvent, PackVersionPending, type PublishPackReply } from '@packs/contracts';
import { packTypeOf, type EncodedManifest } from '@packs/domain';
import type { ManifestRecord, NewClaim, RegistryTx } from '@packs/ports';
import { checkRequirements, checkVisibility, claimOf, pendingReply, repeatedPublish, requireType, type Acceptance } from './accept-version';
import { reasonsOf } from './may-wait';
import type { FoundClaim } from './submission';

/** How long a version may wait for its signatures. */
const CLAIM_MS = 24 * 60 * 60 * 1000;

/** What a publish does in its transaction when nothing but signatures is wanting: every rule of a publish, then a claim on the number in place of the version. */
export async function claimVersion(tx: RegistryTx, acceptance: Acceptance): Promise<PublishPackReply | FoundClaim> {
  const { submission, artifact, verified, trust } = acceptance;
  const { tenant } = submission;
  const { packId, version } = artifact.manifest.metadata;
  const type = packTypeOf(artifact.manifest);
  checkVisibility(tenant, artifact.manifest, trust.shareWith);
  const fixedType = await tx.repositories.lockPack(tenant, packId);
  const existing = await tx.packs.findVersion(tenant, packId, version);
  if (existing) return repeatedPublish(existing, version, acceptance);
  const pending = await tx.pendingVersions.find(tenant, packId, version);
  const found = claimOf(pending, version, acceptance);
  if (found) return found;
  requireType(packId, fixedType ?? type, type);
  await checkRequirements(tx, tenant, artifact.manifest);

  const claim = newClaim(acceptance);
  await tx.pendingVersions.claim(claim);
  if (!pending) {
    await tx.packs.addVerdict(tenant, verified.verdict, verified.verdictHash, verified.question);
    await tx.outbox.append(pendingEvent(acceptance, claim));
  }
  return pendingReply(pending ?? { ...claim, manifest: artifact.ociManifest, bundle: artifact.bundle }, verified);
}

function newClaim({ submission, artifact, verified, now }: Acceptance): NewClaim {
  const { tenant, actor, source, channel, bundle } = submission;
  const { packId, version } = artifact.manifest.metadata;
  return {
    ...{ tenant, packId, version, channel, source },
    manifest: recordOf(artifact.ociManifest, null),
    config: artifact.config.digest,
    bundle: bundle.digest,
    reasons: reasonsOf(verified),
    claimedAt: now.toISOString(),
    claimedBy: actor,
    expiresAt: new Date(now.getTime() + CLAIM_MS).toISOString(),
    referrers: artifact.signatures.map(({ blob, manifest }) => ({
      manifest: recordOf(manifest, artifact.ociManifest.digest),
      blobs: [blob.digest],
    })),
    blobs: artifact.blobs,
  };
}

export function recordOf(
  { digest, mediaType, artifactType, annotations }: EncodedManifest,
  subject: ManifestRecord['subject'],
): ManifestRecord {
  return { digest, mediaType, artifactType, annotations, subject };
}

function pendingEvent({ submission, artifact, verified, now }: Acceptance, { reasons, expiresAt }: NewClaim) {
  const { tenant, actor, source, channel, bundle } = submission;
  const { packId, version } = artifact.manifest.metadata;
  return newEvent(
    PackVersionPending,
    {
      ...{ packId, version, actor, tenant, source, channel, expiresAt },
      signatures: [...verified.verdict.evidence],
      metadataHash: artifact.config.digest,
      digest: bundle.digest,
      manifestDigest: artifact.ociManifest.digest,
      verdictHash: verified.verdictHash,
      reasons: [...reasons],
    },
    now,
  );
}
