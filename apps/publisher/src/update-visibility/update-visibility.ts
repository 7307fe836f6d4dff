import { newEvent, VisibilityUpdated, type UpdateVisibilityReply, type UpdateVisibilityRequest } from '@packs/contracts';
import { canonicalDigest } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Sets whom the tenant may share packs with from now on. What is already published keeps its visibility. */
export class UpdateVisibility {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(request: UpdateVisibilityRequest): Promise<UpdateVisibilityReply> {
    const { tenant, actor, source } = request;
    const shareWith = [...new Set(request.shareWith)].toSorted();
    return this.unitOfWork.run(tenant, async tx => {
      const current = await tx.trust.state(tenant, 'update');
      if (canonicalDigest(current.shareWith) === canonicalDigest(shareWith)) return { shareWith, changed: false };
      await tx.trust.setShareWith(tenant, shareWith);
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: canonicalDigest({ shareWith }) };
      await tx.outbox.append(newEvent(VisibilityUpdated, { ...data, shareWith }, this.clock.now()));
      return { shareWith, changed: true };
    });
  }
}
