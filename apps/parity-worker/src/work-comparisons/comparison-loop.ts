import { hostname } from 'node:os';
import { parityOutOfStep, type Logger } from '@packs/observability';
import type { ParityQueue } from '@packs/ports';
import { ulid } from 'ulid';
import type { WorkComparison } from './work-comparison';

/** Mirrors compared at a time: a slow one does not hold up all others. */
const WIDTH = 2;
/** Comparisons that another process queued, or whose pause has ended, are found within this time. */
const POLL_MS = 500;
/** How often the schedule is looked at. */
const TICK_MS = 1_000;

export interface LoopTimes {
  readonly leaseMs: number;
  readonly intervalSeconds: number;
}

/** Takes comparisons as long as the process runs. */
export class ComparisonLoop {
  private stopping = false;
  private running: Promise<unknown> | undefined;
  private readonly alarms = new Set<() => void>();

  constructor(
    private readonly queue: ParityQueue,
    private readonly work: WorkComparison,
    private readonly times: LoopTimes,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= Promise.all([...Array.from({ length: WIDTH }, () => this.take()), this.tick()]);
  }

  /** There may be something to do. */
  wake(): void {
    for (const alarm of this.alarms) alarm();
  }

  /** Gives what is at hand back and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    this.work.stop();
    this.wake();
    await this.running;
  }

  private async take(): Promise<void> {
    while (!this.stopping) {
      // A new owner for each claim: what is left of an earlier attempt of this same process holds nothing.
      const owner = `${hostname()}/${process.pid}/${ulid()}`;
      const held = await this.guarded(() => this.queue.claim(owner, this.times.leaseMs));
      if (held) await this.work.execute(held);
      else await this.pause(POLL_MS);
    }
  }

  private async tick(): Promise<void> {
    while (!this.stopping) {
      await this.guarded(async () => {
        if ((await this.queue.enqueueDue(this.times.intervalSeconds)) > 0) this.wake();
        parityOutOfStep.set(await this.queue.outOfStep());
      });
      await this.pause(TICK_MS);
    }
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn({ err: error }, 'the queue of comparisons cannot be read; it is looked at again');
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
