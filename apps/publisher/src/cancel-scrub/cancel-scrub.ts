import type { ScrubReply, ScrubRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { ScrubQueue } from '@packs/ports';
import { requireOperator } from '../start-scrub/require-operator';

/** Ends a scrub. What it has found stays in quarantine. */
export class CancelScrub {
  constructor(
    private readonly queue: ScrubQueue,
    private readonly operatorTenant: string,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND */
  async execute({ tenant, id }: ScrubRequest): Promise<ScrubReply> {
    requireOperator(tenant, this.operatorTenant);
    const scrub = await this.queue.cancel(id);
    if (!scrub) throw new DomainError('ERR_PACK_NOT_FOUND', `no scrub ${id}`);
    return { scrub };
  }
}
