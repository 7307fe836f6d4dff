import { newEvent, TrustUpdated, type UpdateTrustReply, type UpdateTrustRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Makes a stored document the tenant's trust material. Every change raises the trust epoch, and the epoch never falls. */
export class UpdateTrust {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_PRECONDITION when somebody else changed it since it was read */
  execute(request: UpdateTrustRequest): Promise<UpdateTrustReply> {
    const { tenant, actor, source, material, keyIds, expected } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const current = await tx.trust.state(tenant, 'update');
      if (expected !== undefined && expected !== current.digest) {
        const { epoch, digest } = current;
        throw new DomainError('ERR_PACK_PRECONDITION', 'the trust material was changed by somebody else', { details: { epoch, digest } });
      }
      if (current.digest === material.digest) return { epoch: current.epoch, digest: current.digest, changed: false };
      const epoch = current.epoch + 1;
      const now = this.clock.now();
      await tx.trust.setMaterial(tenant, epoch, material, now.toISOString());
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: material.digest };
      await tx.outbox.append(newEvent(TrustUpdated, { ...data, epoch, digest: material.digest, keyIds }, now));
      return { epoch, digest: material.digest, changed: true };
    });
  }
}
