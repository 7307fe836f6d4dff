import { newEvent, PackVersionDeprecated, type DeprecateVersionReply, type DeprecateVersionRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { lockVersion, toldOf } from './lock-version';

/** Takes a version out of default queries. It stays readable by its number, and deprecating it again changes nothing. */
export class DeprecateVersion {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND, ERR_PACK_LIFECYCLE once it is archived */
  execute(request: DeprecateVersionRequest): Promise<DeprecateVersionReply> {
    const { tenant, packId, version, actor, reason, replacement } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const existing = await lockVersion(tx, tenant, packId, version);
      if (existing.archivedAt) throw new DomainError('ERR_PACK_LIFECYCLE', `${packId} ${version} is archived; a version only goes forward`);
      if (existing.deprecatedAt) return { deprecatedAt: existing.deprecatedAt, changed: false };
      const now = this.clock.now();
      const deprecatedAt = now.toISOString();
      await tx.packs.deprecate(tenant, packId, version, { at: deprecatedAt, actor, reason, replacement });
      await tx.outbox.append(newEvent(PackVersionDeprecated, { ...toldOf(existing, request), reason, replacement, deprecatedAt }, now));
      return { deprecatedAt, changed: true };
    });
  }
}
