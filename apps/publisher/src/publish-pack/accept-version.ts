import { newEvent, PackVersionPublished, type PublishPackReply, type PublishPackRequest, type VerifyBundleReply } from '@packs/contracts';
import { DomainError, packTypeOf, requirementsOf, satisfiesRange, type PackManifest } from '@packs/domain';
import type { ExistingVersion, RegistryTx, TrustState } from '@packs/ports';
import type { PreparedArtifact } from './prepare-artifact';

interface Acceptance {
  readonly request: PublishPackRequest;
  readonly artifact: PreparedArtifact;
  readonly verified: VerifyBundleReply;
  readonly trust: TrustState;
  readonly now: Date;
}

/** The part of a publish inside its transaction: every rule that depends on what is there, then every row and the event. */
export async function acceptVersion(tx: RegistryTx, acceptance: Acceptance): Promise<PublishPackReply> {
  const { request, artifact, verified, trust, now } = acceptance;
  const { manifest } = artifact;
  const { packId, version } = manifest.metadata;
  const type = packTypeOf(manifest);

  checkVisibility(request.tenant, manifest, trust.shareWith);
  const fixedType = await tx.packs.lockPack(request.tenant, packId, type);
  const existing = await tx.packs.findVersion(request.tenant, packId, version);
  if (existing) return repeatedPublish(existing, version, request);
  if (fixedType !== type) {
    throw new DomainError('ERR_PACK_TYPE_CHANGED', `${packId} is a ${fixedType} pack and cannot become a ${type} pack`, {
      errors: [{ pointer: '/kind', message: `must stay the kind of a ${fixedType} pack` }],
    });
  }
  await checkRequirements(tx, request.tenant, manifest);

  const { channelMoved } = await tx.packs.addVersion({
    tenant: request.tenant,
    manifest,
    type,
    channel: request.channel,
    bundle: artifact.bundle,
    config: artifact.config,
    ociManifest: artifact.ociManifest,
    signatures: artifact.signatures,
    verdict: verified.verdict,
    verdictHash: verified.verdictHash,
    publishedAt: now.toISOString(),
    actor: request.actor,
    source: request.source,
    blobs: artifact.blobs,
  });
  await tx.outbox.append(publishedEvent(acceptance, channelMoved));
  return {
    outcome: 'published',
    packId,
    version,
    digest: artifact.bundle.digest,
    manifestDigest: artifact.ociManifest.digest,
    size: artifact.bundle.size,
    channel: request.channel,
    verdictHash: verified.verdictHash,
  };
}

function repeatedPublish(existing: ExistingVersion, version: string, request: PublishPackRequest): PublishPackReply {
  if (existing.version !== version || existing.digest !== request.bundle.digest) {
    throw new DomainError(
      'ERR_PACK_VERSION_EXISTS',
      `${existing.packId} ${existing.version} is published with other content and never changes`,
      {
        details: { version: existing.version, digest: existing.digest, manifestDigest: existing.manifestDigest },
        errors: [{ field: 'version', message: `${existing.version} is taken` }],
      },
    );
  }
  const { packId, digest, manifestDigest, size, channel, verdictHash } = existing;
  return { outcome: 'already-published', packId, version, digest, manifestDigest, size, channel, verdictHash };
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
async function checkRequirements(tx: RegistryTx, tenant: string, manifest: PackManifest): Promise<void> {
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

function publishedEvent({ request, artifact, verified, now }: Acceptance, channelMoved: boolean) {
  const { packId, version, tenantVisibility } = artifact.manifest.metadata;
  return newEvent(
    PackVersionPublished,
    {
      packId,
      version,
      actor: request.actor,
      tenant: request.tenant,
      source: request.source,
      signatures: artifact.signatures.map(signature => signature.blob.digest),
      metadataHash: artifact.config.digest,
      digest: artifact.bundle.digest,
      manifestDigest: artifact.ociManifest.digest,
      size: artifact.bundle.size,
      packType: packTypeOf(artifact.manifest),
      channel: request.channel,
      channelMoved,
      tenantVisibility: [...(tenantVisibility ?? [])],
      signers: verified.verdict.identities.map(({ name, keyId }) => ({ name, keyId })),
      verdictHash: verified.verdictHash,
      publishedAt: now.toISOString(),
    },
    now,
  );
}
