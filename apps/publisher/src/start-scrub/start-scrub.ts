import type { ScrubReply, StartScrubRequest } from '@packs/contracts';
import type { ScrubQueue } from '@packs/ports';
import { ulid } from 'ulid';
import { requireOperator } from './require-operator';

/** Asks for a scrub of the blob store. One at a time. */
export class StartScrub {
  constructor(
    private readonly queue: ScrubQueue,
    private readonly operatorTenant: string,
    private readonly wake: () => void,
  ) {}

  /** @throws DomainError ERR_PACK_NOT_FOUND when the tenant is not the operators', ERR_PACK_CONFLICT */
  async execute({ tenant, actor, since, sample }: StartScrubRequest): Promise<ScrubReply> {
    requireOperator(tenant, this.operatorTenant);
    const scrub = await this.queue.add({ id: ulid(), requestedBy: actor, since, sample });
    this.wake();
    return { scrub };
  }
}
