import type { DeprecateVersionRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { ExistingVersion, RegistryTx } from '@packs/ports';

/** What an event says of a version that is there, whatever became of it. */
export function toldOf(
  { digest, manifestDigest, config, signatures }: Pick<ExistingVersion, 'digest' | 'manifestDigest' | 'config' | 'signatures'>,
  { tenant, packId, version, actor, source }: Omit<DeprecateVersionRequest, 'reason' | 'replacement'>,
) {
  return { tenant, packId, version, actor, source, signatures: [...signatures], metadataHash: config, digest, manifestDigest };
}

/**
 * The version of exactly this number, with its pack locked: nobody else writes to the pack before the transaction ends.
 * @throws DomainError ERR_PACK_NOT_FOUND
 */
export async function lockVersion(tx: RegistryTx, tenant: string, packId: string, version: string): Promise<ExistingVersion> {
  const found = await tx.packs.findVersion(tenant, packId, version);
  if (!found || found.version !== version) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
  await tx.packs.lockPack(tenant, packId, found.type);
  return (await tx.packs.findVersion(tenant, packId, version)) ?? found;
}
