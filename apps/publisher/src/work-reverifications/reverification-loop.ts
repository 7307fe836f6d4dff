import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import type { HeldReverification, ReverificationIntervals, ReverificationQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import type { WorkReverification } from './work-reverification';

const ACTOR = 'service:publisher';
/** Tenants whose versions are gone through at a time. */
const WIDTH = 2;

export interface ReverificationSchedule {
  readonly leaseMs: number;
  readonly intervals: ReverificationIntervals;
}

/** Takes passes as long as the process runs, and begins those that are due. */
export class ReverificationLoop extends WorkLoop<HeldReverification> implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(queue: ReverificationQueue, work: WorkReverification, { leaseMs, intervals }: ReverificationSchedule, logger: Logger) {
    const tick = () => queue.addDue(ACTOR, intervals);
    const claim = (owner: string) => queue.claim(owner, leaseMs);
    const execute = (held: HeldReverification) => work.execute(held);
    super({ queue: 'reverifications', width: WIDTH, claim, execute, stop: () => work.stop(), tick }, logger);
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  /** While the relay still takes events. */
  beforeApplicationShutdown(): Promise<void> {
    return this.drain();
  }
}
