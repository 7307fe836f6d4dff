import type { BlobQuarantined, EventEnvelope } from '@packs/contracts';
import type { RepairQueue } from '@packs/ports';

type Quarantined = (typeof BlobQuarantined)['data']['static'];

/** Asks the mirrors of a tenant for a blob of its that is damaged. */
export class PlanRepair {
  constructor(
    private readonly queue: RepairQueue,
    private readonly wake: () => void,
  ) {}

  /** @returns false when the event had taken effect before */
  async execute({ id, data }: EventEnvelope): Promise<boolean> {
    const { tenant, digest, size } = data as unknown as Quarantined;
    const asked = await this.queue.ask(id, { tenant, digest, size });
    if (asked) this.wake();
    return asked;
  }
}
