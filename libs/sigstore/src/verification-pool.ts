import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { refused, type VerificationAnswer, type VerificationTask } from './verification-task';
import type { WorkerQuestion, WorkerReply } from './verification-worker';

export interface PoolSettings {
  readonly workers: number;
  /** What one task may take once it has begun, in milliseconds; a worker that takes longer is ended. */
  readonly deadlineMs: number;
  /** What runs in each worker, where it is not the verification itself. */
  readonly program?: { readonly file: string; readonly execArgv: readonly string[] };
}

interface Job {
  readonly task: VerificationTask;
  readonly material: () => Uint8Array;
  readonly settle: (answer: VerificationAnswer) => void;
}

interface Seat {
  readonly worker: Worker;
  job?: Job;
  timer?: NodeJS.Timeout;
}

/**
 * Verifies in threads of their own, so that nothing a signature document makes a verifier do holds up the process. A worker that is stuck or breaks is
 * ended and replaced, and its task is answered with a reason: a task never runs twice.
 */
export class VerificationPool {
  private readonly seats = new Set<Seat>();
  private readonly waiting: Job[] = [];
  private isClosed = false;

  constructor(private readonly settings: PoolSettings) {}

  /** @param material the trust material that the task names, in the form it is stored in; asked for when a worker does not have it yet */
  run(task: VerificationTask, material: () => Uint8Array): Promise<VerificationAnswer> {
    return new Promise(settle => {
      const job = { task, material, settle };
      if (this.isClosed) return settle(refused('verification-failed', 'the verifier is shutting down'));
      const seat = this.freeSeat();
      if (seat) this.begin(seat, job);
      else this.waiting.push(job);
    });
  }

  /** Ends every worker; what runs or waits is answered. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { settle } of this.waiting.splice(0)) settle(refused('verification-failed', 'the verifier is shutting down'));
    await Promise.all([...this.seats].map(seat => this.end(seat, refused('verification-failed', 'the verifier is shutting down'))));
  }

  private freeSeat(): Seat | undefined {
    for (const seat of this.seats) if (!seat.job) return seat;
    return this.seats.size < this.settings.workers ? this.open() : undefined;
  }

  private open(): Seat {
    const { file, execArgv } = this.settings.program ?? { file: path.join(__dirname, 'verification-worker.js'), execArgv: [] };
    const seat: Seat = { worker: new Worker(file, { execArgv: [...execArgv], stdin: false, env: {} }) };
    // Waiting for tasks keeps no process alive.
    seat.worker.unref();
    seat.worker.on('message', (reply: WorkerReply) => this.take(seat, reply));
    const broken = (error?: unknown): void => {
      void this.end(
        seat,
        refused('verification-failed', `the verification broke off: ${error instanceof Error ? error.message : 'its worker ended'}`),
      );
    };
    seat.worker.on('error', broken);
    seat.worker.on('exit', () => broken());
    this.seats.add(seat);
    return seat;
  }

  private begin(seat: Seat, job: Job): void {
    seat.job = job;
    seat.timer = setTimeout(() => {
      void this.end(
        seat,
        refused('verification-timeout', `the verification took longer than ${this.settings.deadlineMs} ms and was ended`),
      );
    }, this.settings.deadlineMs);
    this.ask(seat, { task: job.task });
  }

  private ask({ worker }: Seat, question: WorkerQuestion): void {
    worker.postMessage(question);
  }

  private take(seat: Seat, reply: WorkerReply): void {
    const { job } = seat;
    if (!job) return;
    if (reply.kind === 'needs-trust') return this.ask(seat, { material: job.material() });
    clearTimeout(seat.timer);
    seat.job = undefined;
    job.settle(reply.kind === 'answer' ? reply.answer : refused('verification-failed', `the verification broke off: ${reply.message}`));
    this.next(seat);
  }

  private next(seat: Seat): void {
    const job = this.waiting.shift();
    if (job) this.begin(seat, job);
  }

  /** Once only: the end of a worker is told in more than one way. */
  private async end(seat: Seat, answer: VerificationAnswer): Promise<void> {
    if (!this.seats.delete(seat)) return;
    clearTimeout(seat.timer);
    seat.job?.settle(answer);
    if (this.waiting.length > 0) this.next(this.open());
    await seat.worker.terminate();
  }
}
