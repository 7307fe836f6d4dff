import type { SyncMirrorReply, SyncMirrorRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { MirrorUnitOfWork } from '@packs/ports';
import { noMirror } from '../mirror-settings';

/** Queues a sync that somebody asked for. */
export class SyncMirror {
  constructor(
    private readonly unitOfWork: MirrorUnitOfWork,
    private readonly wake: () => void,
  ) {}

  /** @throws DomainError ERR_MIRROR_NOT_FOUND, ERR_MIRROR_DISABLED */
  async execute({ tenant, actor, source, id, verify }: SyncMirrorRequest): Promise<SyncMirrorReply> {
    const job = await this.unitOfWork.run(tenant, async tx => {
      const mirror = await tx.mirrors.find(tenant, id);
      if (!mirror) throw noMirror(id);
      if (!mirror.enabled) throw new DomainError('ERR_MIRROR_DISABLED', `mirror ${mirror.name} is not enabled`);
      // Whoever asks has perhaps just repaired what the last attempt failed by.
      await tx.jobs.hurry(tenant, id);
      return tx.jobs.enqueue(tenant, id, { cause: 'request', requestedBy: actor, source, verify, changedAt: null });
    });
    this.wake();
    return { job };
  }
}
