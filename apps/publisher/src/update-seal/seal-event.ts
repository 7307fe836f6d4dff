import type { ApproveUnsealRequest, SealReply } from '@packs/contracts';
import { canonicalDigest, type Seal } from '@packs/domain';

/** What every event about a tenant's seal says. */
export function sealEventData({ tenant, actor, source }: ApproveUnsealRequest, seal: Seal) {
  return { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: canonicalDigest(seal), seal: toWire(seal) };
}

export function toReply(seal: Seal, changed: boolean): SealReply {
  return { seal: toWire(seal), changed };
}

function toWire({ pendingUnseal, ...seal }: Seal): SealReply['seal'] {
  return { ...seal, pendingUnseal: pendingUnseal && { ...pendingUnseal, approvals: [...pendingUnseal.approvals] } };
}
