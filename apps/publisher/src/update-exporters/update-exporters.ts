import { ExportersUpdated, newEvent, type UpdateExportersReply, type UpdateExportersRequest } from '@packs/contracts';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Makes a stored document the list of exporters whose kits the tenant takes. */
export class UpdateExporters {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute({ tenant, actor, source, keys, keyIds }: UpdateExportersRequest): Promise<UpdateExportersReply> {
    return this.unitOfWork.run(tenant, async tx => {
      // Two changes of one tenant take turns on its row.
      await tx.trust.state(tenant, 'update');
      const current = await tx.kits.exporters(tenant);
      if (current?.digest === keys.digest) return { digest: keys.digest, changed: false };
      const now = this.clock.now();
      await tx.kits.setExporters(tenant, keys, actor, now.toISOString());
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: keys.digest };
      await tx.outbox.append(newEvent(ExportersUpdated, { ...data, digest: keys.digest, keyIds }, now));
      return { digest: keys.digest, changed: true };
    });
  }
}
