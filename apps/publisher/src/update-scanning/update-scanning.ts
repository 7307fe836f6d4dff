import { newEvent, ScanningUpdated, type UpdateScanningReply, type UpdateScanningRequest } from '@packs/contracts';
import { canonicalDigest } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Sets what the tenant's packs are scanned for. A publish under way is judged again by what holds when it commits. */
export class UpdateScanning {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(request: UpdateScanningRequest): Promise<UpdateScanningReply> {
    const { tenant, actor, source } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const { scanning } = await tx.trust.state(tenant, 'update');
      const settings = { ...scanning, ...request.settings };
      const metadataHash = canonicalDigest(settings);
      if (canonicalDigest(scanning) === metadataHash) return { settings, changed: false };
      const now = this.clock.now();
      await tx.trust.setScanning(tenant, settings, { at: now.toISOString(), actor });
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash };
      await tx.outbox.append(newEvent(ScanningUpdated, { ...data, settings }, now));
      return { settings, changed: true };
    });
  }
}
