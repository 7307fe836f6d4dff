import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import type { HeldScrub, ScrubQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import { ulid } from 'ulid';
import type { WorkScrub } from './work-scrub';

const ACTOR = 'service:publisher';

export interface ScrubSchedule {
  readonly leaseMs: number;
  /** Undefined: scrubs are asked for, and never due. */
  readonly intervalSeconds: number | undefined;
}

/** Takes scrubs as long as the process runs, and begins those that are due. */
export class ScrubLoop extends WorkLoop<HeldScrub> implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(queue: ScrubQueue, workScrub: WorkScrub, { leaseMs, intervalSeconds }: ScrubSchedule, logger: Logger) {
    const tick = intervalSeconds === undefined ? undefined : () => queue.addDue(ulid(), ACTOR, intervalSeconds);
    const claim = (owner: string) => queue.claim(owner, leaseMs);
    const execute = (scrub: HeldScrub) => workScrub.execute(scrub);
    super({ queue: 'scrubs', width: 1, claim, execute, stop: () => workScrub.stop(), ...(tick && { tick }) }, logger);
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  /** While the relay still takes events. */
  beforeApplicationShutdown(): Promise<void> {
    return this.drain();
  }
}
