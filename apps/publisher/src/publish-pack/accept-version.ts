import { newEvent, PackVersionPublished, type PublishPackReply, type VerifyBundleReply } from '@packs/contracts';
import {
  DomainError,
  packTypeOf,
  requirementsOf,
  satisfiesRange,
  scannedBy,
  type Digest,
  type PackManifest,
  type PackType,
} from '@packs/domain';
import type { ExistingVersion, PendingVersion, RegistryTx, TrustState } from '@packs/ports';
import { addAttestation, type JudgedAttestation } from '../add-attestation/judge-attestations';
import type { Answered } from '../judgement/ask-verifier';
import type { PreparedArtifact } from './prepare-artifact';
import type { FoundClaim, Submission } from './submission';

export interface Acceptance {
  readonly submission: Submission;
  readonly artifact: PreparedArtifact;
  readonly verified: Answered<VerifyBundleReply>;
  readonly attestations: readonly JudgedAttestation[];
  readonly trust: TrustState;
  readonly now: Date;
}

/** The part of a publish inside its transaction: every rule that depends on what is there, then every row and the event. */
export async function acceptVersion(tx: RegistryTx, acceptance: Acceptance): Promise<PublishPackReply | FoundClaim> {
  const { submission, artifact, verified, trust, now } = acceptance;
  const { manifest } = artifact;
  const { tenant, channel, actor, source } = submission;
  const { packId, version } = manifest.metadata;
  const type = packTypeOf(manifest);

  checkVisibility(tenant, manifest, trust.shareWith);
  // One after the other, without waiting for answers in between: what is found is what there is once the pack is locked.
  const [fixedType, existing, pending] = await Promise.all([
    tx.packs.lockPack(tenant, packId, type),
    tx.packs.findVersion(tenant, packId, version),
    tx.pendingVersions.find(tenant, packId, version),
  ]);
  if (existing) return repeatedPublish(existing, version, acceptance);
  const found = claimOf(pending, version, acceptance);
  if (found) return found;
  requireType(packId, fixedType, type);
  await checkRequirements(tx, tenant, manifest);

  if (pending) await tx.pendingVersions.complete(tenant, packId, version);
  const { channelMoved } = await tx.packs.addVersion({
    tenant,
    manifest,
    type,
    channel,
    bundle: artifact.bundle,
    config: artifact.config,
    ociManifest: artifact.ociManifest,
    signatures: artifact.signatures,
    verdict: verified.verdict,
    verdictHash: verified.verdictHash,
    question: verified.question,
    scanReports: verified.scanReports,
    publishedAt: now.toISOString(),
    actor: pending?.claimedBy ?? actor,
    source: pending ? pending.source : source,
    blobs: artifact.blobs,
  });
  await tx.outbox.append(publishedEvent(acceptance, channelMoved));
  for (const attestation of acceptance.attestations) await addAttestation(tx, attestation, now);
  return {
    outcome: 'published',
    packId,
    version,
    digest: artifact.bundle.digest,
    manifestDigest: artifact.ociManifest.digest,
    size: artifact.bundle.size,
    channel,
    verdictHash: verified.verdictHash,
  };
}

/** The same artifact, or the same bundle where no artifact came with it, is the version that is there. */
export function repeatedPublish(existing: ExistingVersion, version: string, { submission, artifact }: Acceptance): PublishPackReply {
  const isSame =
    submission.artifact && !submission.claim
      ? existing.manifestDigest === artifact.ociManifest.digest
      : existing.digest === submission.bundle.digest;
  if (existing.version !== version || !isSame) {
    throw taken(existing, `${existing.packId} ${existing.version} is published with other content and never changes`);
  }
  const { packId, digest, manifestDigest, size, channel, verdictHash } = existing;
  return { outcome: 'already-published', packId, version, digest, manifestDigest, size, channel, verdictHash };
}

/**
 * A claim keeps its number for its own manifest.
 * @returns the claim when the bundle is its own and nothing was made of that yet
 * @throws DomainError ERR_PACK_VERSION_EXISTS
 */
export function claimOf(
  pending: PendingVersion | undefined,
  version: string,
  { submission, artifact }: Acceptance,
): FoundClaim | undefined {
  if (!pending) {
    if (!submission.completesOnly) return undefined;
    throw new DomainError('ERR_OCI_MANIFEST_UNKNOWN', 'the version that waited for its signatures is gone');
  }
  const { packId, manifest, bundle } = pending;
  if (pending.version === version && submission.claim && manifest.digest === artifact.ociManifest.digest) return undefined;
  const isSame =
    submission.artifact && !submission.claim ? manifest.digest === artifact.ociManifest.digest : bundle.digest === submission.bundle.digest;
  if (pending.version === version && isSame) return { claim: pending };
  throw taken(
    { version: pending.version, digest: bundle.digest, manifestDigest: manifest.digest },
    `${packId} ${pending.version} waits for signatures of other content until ${pending.expiresAt}`,
  );
}

function taken(
  { version, digest, manifestDigest }: Pick<ExistingVersion, 'version' | 'digest' | 'manifestDigest'>,
  message: string,
): DomainError {
  return new DomainError('ERR_PACK_VERSION_EXISTS', `${message}: its manifest is ${manifestDigest}`, {
    details: { version, digest, manifestDigest },
    errors: [{ field: 'version', message: `${version} is taken` }],
  });
}

/** @throws DomainError ERR_PACK_TYPE_CHANGED */
export function requireType(packId: string, fixedType: PackType, type: PackType): void {
  if (fixedType === type) return;
  throw new DomainError('ERR_PACK_TYPE_CHANGED', `${packId} is a ${fixedType} pack and cannot become a ${type} pack`, {
    errors: [{ pointer: '/kind', message: `must stay the kind of a ${fixedType} pack` }],
  });
}

interface Claimed extends Pick<PendingVersion, 'packId' | 'version' | 'bundle' | 'channel' | 'expiresAt'> {
  readonly manifest: { readonly digest: Digest };
}

export function pendingReply(
  { packId, version, bundle, manifest, channel, expiresAt }: Claimed,
  { verdictHash, faults }: Pick<VerifyBundleReply, 'verdictHash' | 'faults'>,
): PublishPackReply {
  return {
    outcome: 'pending',
    ...{ packId, version, channel, verdictHash, expiresAt, faults },
    digest: bundle.digest,
    manifestDigest: manifest.digest,
    size: bundle.size,
  };
}

/** A version may be shown to its own tenant and to those the tenant's allow-list names. */
export function checkVisibility(tenant: string, manifest: PackManifest, shareWith: readonly string[]): void {
  const declared = manifest.metadata.tenantVisibility ?? [];
  const errors = declared.flatMap((other, at) =>
    other === tenant || shareWith.includes('*') || shareWith.includes(other)
      ? []
      : [{ pointer: `/metadata/tenantVisibility/${at}`, message: `tenant ${tenant} may not share packs with ${other}` }],
  );
  if (errors.length > 0) throw new DomainError('ERR_PACK_VISIBILITY', 'tenantVisibility goes beyond what the tenant may share', { errors });
}

/** Dependencies and members are looked for in the dependent's own namespace and nowhere else. */
export async function checkRequirements(tx: RegistryTx, tenant: string, manifest: PackManifest): Promise<void> {
  const requirements = requirementsOf(manifest);
  const versions = await tx.packs.versionsOf(tenant, [...new Set(requirements.map(one => one.packId))]);
  const errors = requirements.flatMap(({ packId, version: range, pointer }) => {
    const found = versions.get(packId);
    if (!found) return [{ pointer: `${pointer}/packId`, message: `${packId} is not published in namespace ${tenant}` }];
    if (found.some(version => satisfiesRange(version, range))) return [];
    return [{ pointer: `${pointer}/version`, message: `no published version of ${packId} satisfies ${range}` }];
  });
  if (errors.length > 0) throw new DomainError('ERR_PACK_DEPENDENCY', 'the pack needs packs that are not there', { errors });
}

function publishedEvent({ submission, artifact, verified, now }: Acceptance, channelMoved: boolean) {
  const { packId, version, tenantVisibility } = artifact.manifest.metadata;
  return newEvent(
    PackVersionPublished,
    {
      packId,
      version,
      actor: submission.actor,
      tenant: submission.tenant,
      source: submission.source,
      signatures: artifact.signatures.map(signature => signature.blob.digest),
      metadataHash: artifact.config.digest,
      digest: artifact.bundle.digest,
      manifestDigest: artifact.ociManifest.digest,
      size: artifact.bundle.size,
      packType: packTypeOf(artifact.manifest),
      channel: submission.channel,
      channelMoved,
      tenantVisibility: [...(tenantVisibility ?? [])],
      signers: verified.verdict.identities.map(({ name, keyId }) => ({ name, keyId })),
      verdictHash: verified.verdictHash,
      verdictOutcome: verified.verdict.outcome,
      ...scannedBy(verified.verdict),
      publishedAt: now.toISOString(),
    },
    now,
  );
}
