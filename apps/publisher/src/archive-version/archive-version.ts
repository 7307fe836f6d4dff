import { newEvent, PackVersionArchived, type ArchiveVersionReply, type ArchiveVersionRequest } from '@packs/contracts';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { lockVersion, toldOf } from '../deprecate-version/lock-version';

/**
 * The last step of a version's life. An active version becomes deprecated and archived in one step; a channel that points at it
 * still does. It stays readable by its number, and archiving it again changes nothing.
 */
export class ArchiveVersion {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND */
  execute(request: ArchiveVersionRequest): Promise<ArchiveVersionReply> {
    const { tenant, packId, version, actor, reason, replacement } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const existing = await lockVersion(tx, tenant, packId, version);
      if (existing.archivedAt) return { archivedAt: existing.archivedAt, changed: false };
      const now = this.clock.now();
      const archivedAt = now.toISOString();
      await tx.packs.archive(tenant, packId, version, { at: archivedAt, actor, reason, replacement });
      const state = { replacement: replacement ?? existing.replacement, deprecatedAt: existing.deprecatedAt ?? archivedAt, archivedAt };
      await tx.outbox.append(newEvent(PackVersionArchived, { ...toldOf(existing, request), reason, ...state }, now));
      return { archivedAt, changed: true };
    });
  }
}
