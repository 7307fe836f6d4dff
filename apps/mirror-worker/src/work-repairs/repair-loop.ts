import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import type { HeldRepair, RepairQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import type { WorkRepair } from './work-repair';

/** Takes repairs, one at a time, as long as the process runs. */
export class RepairLoop extends WorkLoop<HeldRepair> implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(queue: RepairQueue, workRepair: WorkRepair, leaseMs: number, logger: Logger) {
    const claim = (owner: string) => queue.claim(owner, leaseMs);
    super({ queue: 'repairs', width: 1, claim, execute: repair => workRepair.execute(repair), stop: () => workRepair.stop() }, logger);
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.drain();
  }
}
