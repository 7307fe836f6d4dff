import { newEvent, PackVersionExpired } from '@packs/contracts';
import type { PendingVersion, RegistryTx } from '@packs/ports';

interface Cause {
  readonly actor: string;
  readonly source: string | null;
  readonly cause: 'time' | 'request';
}

/**
 * Gives the number of a version that waits back, with an event. The pack is locked.
 * @returns false when it does not wait, or not until `now` where time is the cause
 */
export async function releaseClaim(
  tx: RegistryTx,
  { tenant, packId, version }: Pick<PendingVersion, 'tenant' | 'packId' | 'version'>,
  { actor, source, cause }: Cause,
  now: Date,
): Promise<boolean> {
  const claim = await tx.pendingVersions.find(tenant, packId, version);
  if (!claim || (cause === 'time' && Date.parse(claim.expiresAt) > now.getTime())) return false;
  await tx.pendingVersions.release(tenant, packId, version);
  const { manifest, bundle, claimedAt, claimedBy } = claim;
  await tx.outbox.append(
    newEvent(
      PackVersionExpired,
      {
        ...{ tenant, packId, actor, source, cause, claimedAt, claimedBy },
        version: claim.version,
        signatures: [],
        metadataHash: manifest.digest,
        digest: bundle.digest,
        manifestDigest: manifest.digest,
      },
      now,
    ),
  );
  return true;
}
