import { newEvent, type BlobQuarantined, type BlobRepaired, type EventEnvelope } from '@packs/contracts';
import { canonicalDigest } from '@packs/domain';
import type { BlobUse, StoredBlob } from '@packs/ports';

const ACTOR = 'service:publisher';

/** What one tenant is told of a blob: nothing of who else has it. */
export function blobEvent(
  contract: typeof BlobQuarantined | typeof BlobRepaired,
  { digest, size }: StoredBlob,
  { tenant, repository, version }: BlobUse,
  { reason, at }: { readonly reason: string; readonly at: Date },
): EventEnvelope {
  const state = { digest, size, repository, reason };
  const packId = version === null ? null : repository;
  const origin = { packId, version, actor: ACTOR, tenant, source: null, signatures: [], metadataHash: canonicalDigest(state) };
  return newEvent(contract, { ...origin, ...state }, at);
}
