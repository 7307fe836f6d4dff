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

  /** @throws DomainError ERR_MIRROR_NOT_FOUND */
  async execute({ tenant, actor, source, mirrorId, depth }: CheckParityRequest): Promise<CheckParityReply> {
    if (!(await this.mirrors.find(tenant, mirrorId))) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${mirrorId}`);
    const check = await this.unitOfWork.run(tenant, tx => tx.enqueue(mirrorId, { cause: 'request', depth, requestedBy: actor, source }));
    this.wake();
    return { check };
  }
}
