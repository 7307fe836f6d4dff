import { newEvent, RegistryUnsealed, UnsealApproved, type ApproveUnsealRequest, type SealReply } from '@packs/contracts';
import { SEALED_BY_CONFIGURATION, unsealApproved, type Seal } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { sealEventData, toReply } from '../update-seal/seal-event';

/** Counts one approval of the open request to unseal a tenant; the last one needed unseals it. */
export class ApproveUnseal {
  /** @param unitOfWork one that works for sealed tenants too */
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
    private readonly sealedByConfiguration: boolean,
  ) {}

  /** @throws DomainError ERR_PACK_SEALED when it is the configuration that seals, ERR_PACK_NOT_FOUND, ERR_PACK_APPROVAL */
  async execute(request: ApproveUnsealRequest): Promise<SealReply> {
    const { tenant, actor } = request;
    const approval = { actor, at: this.clock.now() };
    if (this.sealedByConfiguration) return toReply(unsealApproved(SEALED_BY_CONFIGURATION, approval), false);
    return this.unitOfWork.run(tenant, async tx => {
      const current = await tx.seal.lock(tenant);
      const next = unsealApproved(current, approval);
      await tx.seal.put(tenant, next);
      await tx.outbox.append(next.sealed ? approved(request, next, approval.at) : unsealed(request, current, next, approval.at));
      return toReply(next, true);
    });
  }
}

function approved(request: ApproveUnsealRequest, next: Seal, at: Date) {
  return newEvent(UnsealApproved, sealEventData(request, next), at);
}

function unsealed(request: ApproveUnsealRequest, before: Seal, next: Seal, at: Date) {
  if (!before.pendingUnseal) throw new Error('a seal ended without a request');
  const approvals = [...before.pendingUnseal.approvals, { by: request.actor, at: at.toISOString() }];
  return newEvent(RegistryUnsealed, { ...sealEventData(request, next), request: { ...before.pendingUnseal, approvals } }, at);
}
