import { mirrorLagSeconds, mirrorQueueDepth, type Logger } from '@packs/observability';
import type { HeldJob, MirrorQueue } from '@packs/ports';
import { WorkLoop } from '@packs/service-host';
import type { WorkJob } from './work-job';

/** Mirrors synced at a time: a slow one does not hold up all others. */
const WIDTH = 2;

/** Takes syncs as long as the process runs; looks at schedules and measures the backlog. */
export class JobLoop extends WorkLoop<HeldJob> {
  constructor(queue: MirrorQueue, workJob: WorkJob, leaseMs: number, logger: Logger) {
    const tick = async (): Promise<boolean> => {
      const due = await queue.enqueueDue();
      const { depth, lagSeconds } = await queue.backlog();
      mirrorQueueDepth.set(depth);
      mirrorLagSeconds.set(lagSeconds);
      return due > 0;
    };
    const claim = (owner: string) => queue.claim(owner, leaseMs);
    super({ queue: 'mirror jobs', width: WIDTH, claim, execute: job => workJob.execute(job), stop: () => workJob.stop(), tick }, logger);
  }
}
