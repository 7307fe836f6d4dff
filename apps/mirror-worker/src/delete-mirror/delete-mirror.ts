import { MirrorRemoved, newEvent, type DeleteMirrorReply, type DeleteMirrorRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Clock, MirrorUnitOfWork } from '@packs/ports';
import { noMirror, settingsEventData } from '../mirror-settings';

/** Forgets a mirror and its jobs. What lies at its location stays: somebody may still read it. */
export class DeleteMirror {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_MIRROR_NOT_FOUND, ERR_MIRROR_BUSY */
  execute(request: DeleteMirrorRequest): Promise<DeleteMirrorReply> {
    const { tenant, id } = request;
    return this.unitOfWork.run(tenant, async tx => {
      await tx.mirrors.lock(tenant);
      const mirror = await tx.mirrors.find(tenant, id);
      if (!mirror) throw noMirror(id);
      if (await tx.jobs.running(tenant, id)) {
        throw new DomainError('ERR_MIRROR_BUSY', `mirror ${mirror.name} is being synced; disable it first, or wait`, { retry: 'later' });
      }
      await tx.mirrors.remove(tenant, id);
      await tx.outbox.append(newEvent(MirrorRemoved, settingsEventData(request, mirror), this.clock.now()));
      return { deleted: true };
    });
  }
}
