import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { DomainError } from '@packs/domain';
import type { TextWindow } from './find-secrets';
import type { FoundSecrets, SecretQuestion, SecretReply } from './secret-worker';

export interface SecretPoolSettings {
  readonly workers: number;
  /** What one question may take once it has begun, in milliseconds; a worker that takes longer is ended. */
  readonly deadlineMs: number;
  /** What runs in each worker, where it is not the rules themselves. */
  readonly program?: { readonly file: string; readonly execArgv: readonly string[] };
}

interface Job {
  readonly question: SecretQuestion;
  settle(found: FoundSecrets): void;
  fail(error: DomainError): void;
}

interface Seat {
  readonly worker: Worker;
  job?: Job;
  timer?: NodeJS.Timeout;
}

/**
 * Looks for secrets in threads of their own, so that no text holds up the process. A thread that is stuck or breaks is ended and replaced, and its
 * question fails: what was not looked at is never taken for clean.
 */
export class SecretPool {
  private readonly seats = new Set<Seat>();
  private readonly waiting: Job[] = [];
  private isClosed = false;

  constructor(private readonly settings: SecretPoolSettings) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE */
  find(windows: readonly TextWindow[]): Promise<FoundSecrets> {
    return new Promise((settle, fail) => {
      if (this.isClosed) return fail(unfinished('the verifier is shutting down'));
      const job = { question: { windows }, settle, fail };
      const seat = this.freeSeat();
      if (seat) this.begin(seat, job);
      else this.waiting.push(job);
    });
  }

  /** Ends every worker; what runs or waits fails. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { fail } of this.waiting.splice(0)) fail(unfinished('the verifier is shutting down'));
    await Promise.all([...this.seats].map(seat => this.end(seat, 'the verifier is shutting down')));
  }

  private freeSeat(): Seat | undefined {
    for (const seat of this.seats) if (!seat.job) return seat;
    return this.seats.size < this.settings.workers ? this.open() : undefined;
  }

  private open(): Seat {
    const { file, execArgv } = this.settings.program ?? { file: path.join(__dirname, 'secret-worker.js'), execArgv: [] };
    const seat: Seat = { worker: new Worker(file, { execArgv: [...execArgv], stdin: false, env: {} }) };
    // Waiting for questions keeps no process alive.
    seat.worker.unref();
    seat.worker.on('message', (reply: SecretReply) => this.take(seat, reply));
    seat.worker.on('error', () => void this.end(seat, 'the search for secrets broke off'));
    seat.worker.on('exit', () => void this.end(seat, 'the search for secrets broke off'));
    this.seats.add(seat);
    return seat;
  }

  private begin(seat: Seat, job: Job): void {
    seat.job = job;
    const late = `the search for secrets took longer than ${this.settings.deadlineMs} ms and was ended`;
    seat.timer = setTimeout(() => void this.end(seat, late), this.settings.deadlineMs);
    seat.worker.postMessage(job.question);
  }

  private take(seat: Seat, reply: SecretReply): void {
    const { job } = seat;
    if (!job) return;
    clearTimeout(seat.timer);
    seat.job = undefined;
    if ('found' in reply) job.settle(reply);
    else job.fail(unfinished(`the search for secrets broke off: ${reply.broken}`));
    const next = this.waiting.shift();
    if (next) this.begin(seat, next);
  }

  /** Once only: the end of a worker is told in more than one way. */
  private async end(seat: Seat, why: string): Promise<void> {
    if (!this.seats.delete(seat)) return;
    clearTimeout(seat.timer);
    seat.job?.fail(unfinished(why));
    const next = this.waiting.shift();
    if (next) this.begin(this.open(), next);
    await seat.worker.terminate();
  }
}

function unfinished(message: string): DomainError {
  return new DomainError('ERR_PACK_UNAVAILABLE', message, { retry: 'later' });
}
