import { newEvent, TrustUpdated, type UpdateTrustReply, type UpdateTrustRequest } from '@packs/contracts';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Makes a stored document the tenant's trust material. Every change raises the trust epoch, and the epoch never falls. */
export class UpdateTrust {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(request: UpdateTrustRequest): Promise<UpdateTrustReply> {
    const { tenant, actor, source, material, keyIds } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const current = await tx.trust.state(tenant, 'update');
      if (current.digest === material.digest) return { epoch: current.epoch, digest: current.digest, changed: false };
      const epoch = current.epoch + 1;
      await tx.trust.setMaterial(tenant, epoch, material);
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: material.digest };
      await tx.outbox.append(newEvent(TrustUpdated, { ...data, epoch, digest: material.digest, keyIds }, this.clock.now()));
      return { epoch, digest: material.digest, changed: true };
    });
  }
}
