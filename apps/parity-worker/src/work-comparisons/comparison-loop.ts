import { parityOutOfStep, type Logger } from '@packs/observability';
import type { HeldComparison, ParityQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import type { WorkComparison } from './work-comparison';

/** Mirrors compared at a time: a slow one does not hold up all others. */
const WIDTH = 2;

export interface LoopTimes {
  readonly leaseMs: number;
  readonly intervalSeconds: number;
}

/** Takes comparisons as long as the process runs; looks at the schedule and counts the mirrors that are out of step. */
export class ComparisonLoop extends WorkLoop<HeldComparison> {
  constructor(queue: ParityQueue, work: WorkComparison, { leaseMs, intervalSeconds }: LoopTimes, logger: Logger) {
    const tick = async (): Promise<boolean> => {
      const due = await queue.enqueueDue(intervalSeconds);
      parityOutOfStep.set(await queue.outOfStep());
      return due > 0;
    };
    const claim = (owner: string) => queue.claim(owner, leaseMs);
    super({ queue: 'comparisons', width: WIDTH, claim, execute: held => work.execute(held), stop: () => work.stop(), tick }, logger);
  }
}
