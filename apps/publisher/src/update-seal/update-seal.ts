import { newEvent, RegistrySealed, UnsealRequested, type SealReply, type UpdateSealRequest } from '@packs/contracts';
import { sealAt, sealed, SEALED_BY_CONFIGURATION, unsealRequested, type Seal } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { sealEventData, toReply } from './seal-event';

/** Seals a tenant, or opens the request that two others have to approve before it is unsealed. */
export class UpdateSeal {
  /** @param unitOfWork one that works for sealed tenants too */
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
    private readonly sealedByConfiguration: boolean,
  ) {}

  /** @throws DomainError ERR_PACK_SEALED when it is the configuration that seals, ERR_PACK_CONFLICT */
  async execute(request: UpdateSealRequest): Promise<SealReply> {
    const change = { actor: request.actor, at: this.clock.now(), reason: request.reason };
    const apply = (seal: Seal): Seal => (request.sealed ? sealed(seal, change) : unsealRequested(seal, change));
    if (this.sealedByConfiguration) return toReply(apply(SEALED_BY_CONFIGURATION), false);
    return this.unitOfWork.run(request.tenant, async tx => {
      const current = sealAt(await tx.seal.lock(request.tenant), change.at);
      const next = apply(current);
      if (next === current) return toReply(current, false);
      await tx.seal.put(request.tenant, next);
      await tx.outbox.append(newEvent(request.sealed ? RegistrySealed : UnsealRequested, sealEventData(request, next), change.at));
      return toReply(next, true);
    });
  }
}
