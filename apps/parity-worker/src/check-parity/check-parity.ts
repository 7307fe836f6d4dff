import type { CheckParityReply, CheckParityRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { MirrorReadModel, ParityUnitOfWork } from '@packs/ports';

/** Queues a comparison that somebody asked for. */
export class CheckParity {
  constructor(
    private readonly unitOfWork: ParityUnitOfWork,
    private readonly mirrors: MirrorReadModel,
    private readonly wake: () => void,
  ) {}

  /** @throws DomainError ERR_MIRROR_NOT_FOUND, ERR_PACK_REQUEST_INVALID for a mirror that pulls */
  async execute({ tenant, actor, source, mirrorId, depth }: CheckParityRequest): Promise<CheckParityReply> {
    const mirror = await this.mirrors.find(tenant, mirrorId);
    if (!mirror) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${mirrorId}`);
    if (mirror.pull) {
      const message = 'is of a mirror that pulls: nothing of ours lies there';
      throw new DomainError('ERR_PACK_REQUEST_INVALID', `mirrorId ${message}`, { errors: [{ field: 'mirrorId', message }] });
    }
    const check = await this.unitOfWork.run(tenant, tx => tx.enqueue(mirrorId, { cause: 'request', depth, requestedBy: actor, source }));
    this.wake();
    return { check };
  }
}
