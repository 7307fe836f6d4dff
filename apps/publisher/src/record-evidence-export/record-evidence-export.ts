import { newEvent, PackEvidenceExported, type RecordEvidenceExportRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';
import { toldOf } from '../deprecate-version/lock-version';

/** Notes who took the evidence of a version with them. It is no change of the tenant's: a sealed registry notes it as well. */
export class RecordEvidenceExport {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND */
  execute(request: RecordEvidenceExportRequest): Promise<Record<string, never>> {
    const { tenant, packId, version, seq, withBundle } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const existing = await tx.packs.findVersion(tenant, packId, version);
      if (existing?.version !== version) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
      const now = this.clock.now();
      await tx.outbox.append(
        newEvent(PackEvidenceExported, { ...toldOf(existing, request), seq, withBundle, exportedAt: now.toISOString() }, now),
      );
      return {};
    });
  }
}
