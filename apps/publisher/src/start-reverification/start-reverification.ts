import type { StartReverificationReply, StartReverificationRequest } from '@packs/contracts';
import type { ReverificationQueue } from '@packs/ports';

/** Begins a pass over a tenant's versions, in the place of one that has not ended. */
export class StartReverification {
  constructor(
    private readonly queue: ReverificationQueue,
    private readonly wake: () => void,
  ) {}

  async execute({ tenant, actor }: StartReverificationRequest): Promise<StartReverificationReply> {
    const reverification = await this.queue.request(tenant, actor);
    this.wake();
    return { reverification };
  }
}
