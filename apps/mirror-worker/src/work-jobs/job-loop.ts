import { hostname } from 'node:os';
import { mirrorLagSeconds, mirrorQueueDepth, type Logger } from '@packs/observability';
import type { MirrorQueue } from '@packs/ports';
import { ulid } from 'ulid';
import type { WorkJob } from './work-job';

/** Mirrors synced at a time: a slow one does not hold up all others. */
const WIDTH = 2;
/** Jobs that another process queued, or whose pause has ended, are found within this time. */
const POLL_MS = 500;
/** How often schedules are looked at and the backlog is measured. */
const TICK_MS = 1_000;

/** Takes jobs as long as the process runs. */
export class JobLoop {
  private stopping = false;
  private running: Promise<unknown> | undefined;
  private readonly alarms = new Set<() => void>();

  constructor(
    private readonly queue: MirrorQueue,
    private readonly workJob: WorkJob,
    private readonly leaseMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= Promise.all([...Array.from({ length: WIDTH }, () => this.work()), this.tick()]);
  }

  /** There may be something to do. */
  wake(): void {
    for (const alarm of this.alarms) alarm();
  }

  /** Gives jobs at hand back and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    this.workJob.stop();
    this.wake();
    await this.running;
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      // A new owner for each claim: what is left of an earlier attempt of this same process holds nothing.
      const owner = `${hostname()}/${process.pid}/${ulid()}`;
      const job = await this.guarded(() => this.queue.claim(owner, this.leaseMs));
      if (job) await this.workJob.execute(job);
      else await this.pause(POLL_MS);
    }
  }

  private async tick(): Promise<void> {
    while (!this.stopping) {
      await this.guarded(async () => {
        if ((await this.queue.enqueueDue()) > 0) this.wake();
        const { depth, lagSeconds } = await this.queue.backlog();
        mirrorQueueDepth.set(depth);
        mirrorLagSeconds.set(lagSeconds);
      });
      await this.pause(TICK_MS);
    }
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn({ err: error }, 'the queue of mirror jobs cannot be read; it is looked at again');
      return undefined;
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        this.alarms.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.alarms.add(done);
    });
  }
}
