import { hostname } from 'node:os';
import type { Logger } from '@packs/observability';
import { ulid } from 'ulid';

/** Jobs that another process queued, or whose pause has ended, are found within this time. */
const POLL_MS = 500;
const TICK_MS = 1_000;

export interface Work<Job> {
  /** The queue's name in the log. */
  readonly queue: string;
  /** Jobs worked on at a time. */
  readonly width: number;
  claim(owner: string): Promise<Job | undefined>;
  /** Never rejects: what goes wrong is recorded with the job. */
  execute(job: Job): Promise<void>;
  /** Gives back the jobs at hand. */
  stop(): void;
  /** Done each second. @returns whether there may be something to do */
  tick?(): Promise<boolean>;
}

/** Takes jobs from a queue as long as the process runs. */
export class WorkLoop<Job> {
  private stopping = false;
  private running: Promise<unknown> | undefined;
  private readonly alarms = new Set<() => void>();

  constructor(
    private readonly work: Work<Job>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= Promise.all([...Array.from({ length: this.work.width }, () => this.take()), this.tick()]);
  }

  /** There may be something to do. */
  wake(): void {
    for (const alarm of this.alarms) alarm();
  }

  /** Gives jobs at hand back and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    this.work.stop();
    this.wake();
    await this.running;
  }

  private async take(): Promise<void> {
    while (!this.stopping) {
      // A new owner for each claim: what is left of an earlier attempt of this same process holds nothing.
      const job = await this.guarded(() => this.work.claim(`${hostname()}/${process.pid}/${ulid()}`));
      if (job) await this.work.execute(job);
      else await this.pause(POLL_MS);
    }
  }

  private async tick(): Promise<void> {
    while (this.work.tick && !this.stopping) {
      if (await this.guarded(() => this.work.tick?.() ?? Promise.resolve(false))) this.wake();
      await this.pause(TICK_MS);
    }
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn({ err: error }, `the queue of ${this.work.queue} cannot be read; it is looked at again`);
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
