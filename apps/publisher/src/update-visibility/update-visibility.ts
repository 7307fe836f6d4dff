import { newEvent, VisibilityUpdated, type UpdateVisibilityReply, type UpdateVisibilityRequest } from '@packs/contracts';
import { canonicalDigest } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/**
 * Sets whom the tenant may share packs with from now on, and what its namespace shows to everybody. What is already published keeps its
 * visibility.
 */
export class UpdateVisibility {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(request: UpdateVisibilityRequest): Promise<UpdateVisibilityReply> {
    const { tenant, actor, source } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const { shareWith: sharedBefore } = await tx.trust.state(tenant, 'update');
      const before = { shareWith: sharedBefore, ...(await tx.namespacePolicies.policy(tenant)) };
      const after = {
        shareWith: [...new Set(request.shareWith)].toSorted(),
        publicRead: request.publicRead ?? before.publicRead,
        pullByDigestOnly: request.pullByDigestOnly ?? before.pullByDigestOnly,
      };
      const metadataHash = canonicalDigest(after);
      if (canonicalDigest(before) === metadataHash) return { ...after, changed: false };
      const now = this.clock.now();
      await tx.trust.setShareWith(tenant, after.shareWith);
      await tx.namespacePolicies.put(tenant, after, { at: now.toISOString(), actor });
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash };
      await tx.outbox.append(newEvent(VisibilityUpdated, { ...data, ...after }, now));
      return { ...after, changed: true };
    });
  }
}
