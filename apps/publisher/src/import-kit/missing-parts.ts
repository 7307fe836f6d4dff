import type { KitVersion } from '@packs/contracts';
import { DomainError, versionSortKey } from '@packs/domain';
import type { ExistingVersion, RegistryTx } from '@packs/ports';
import type { MissingParts } from './judge-kit';

/**
 * What the registry lacks of one version.
 * @throws DomainError ERR_KIT_CONFLICT when the number is taken by other content
 */
export async function missingParts(tx: RegistryTx, tenant: string, version: KitVersion): Promise<MissingParts> {
  const existing = await tx.packs.findVersion(tenant, version.packId, version.version);
  const others = version.channels.filter(channel => channel !== version.channel);
  if (!existing) return { version, isNew: true, channels: others, attestations: version.attestations, held: undefined };
  requireSame(existing, version);
  const channels = [];
  for (const channel of version.channels) {
    const head = await tx.channels.head(tenant, version.packId, channel);
    // A head is never moved back, so only a channel that is behind has anything to gain.
    if (!head || versionSortKey(head.version) < versionSortKey(version.version)) channels.push(channel);
  }
  const attestations = [];
  for (const attestation of version.attestations) {
    if (!(await tx.attestations.find(tenant, version.packId, version.version, attestation.document.digest))) attestations.push(attestation);
  }
  return { version, isNew: false, channels, attestations, held: await heldBy(tx, tenant, version) };
}

/** A signature that others have replaced here comes back by no kit. */
async function heldBy(tx: RegistryTx, tenant: string, { packId, version, signatures }: KitVersion): Promise<MissingParts['held']> {
  const found = await tx.channels.judgeable(tenant, packId, version);
  if (!found) return undefined;
  const retired = new Set(
    await tx.signatures.retired(
      tenant,
      packId,
      version,
      signatures.map(({ document }) => document.digest),
    ),
  );
  const channels = await tx.signatures.channelPolicies(tenant, packId, version);
  return { rotating: { version: found, channels }, brought: signatures.filter(({ document }) => !retired.has(document.digest)) };
}

export function requireSame(existing: ExistingVersion, { packId, version, manifest }: KitVersion): void {
  if (existing.version === version && existing.manifestDigest === manifest.digest) return;
  throw new DomainError('ERR_KIT_CONFLICT', `${packId} ${existing.version} exists here with other content`, {
    details: { version: existing.version, manifestDigest: existing.manifestDigest },
    errors: [{ field: `${packId}@${version}`, message: 'exists with other content' }],
  });
}
