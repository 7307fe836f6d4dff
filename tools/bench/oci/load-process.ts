import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Load, LoadOrder, LoadReport, LoadResult, Target } from './load';
import { MAKE_LOAD } from './load-worker';

/** Filling a registry takes its time; a load itself is bounded by its own. */
const PREPARED_WITHIN_MS = 15 * 60_000;
const DONE_WITHIN_MS = 2 * 60_000;

/** A process of its own that makes the load: what it costs is known apart, and nothing of it is in the way of who measures. */
export class LoadProcess {
  private readonly child: ChildProcess = fork(process.argv[1] ?? '', [MAKE_LOAD], { stdio: 'inherit' });

  constructor() {
    // Where the bench itself is killed, the channel closes and the process ends.
    process.once('exit', () => this.child.kill('SIGKILL'));
  }

  /** @returns undefined when the registry does not serve this */
  async run(load: Load, target: Target, ready: () => Promise<void>, signal: AbortSignal): Promise<LoadResult | undefined> {
    const prepared = await this.ask({ prepare: load, target }, PREPARED_WITHIN_MS, signal);
    if (!('prepared' in prepared)) throw new Error(`the load ${load.kind} could not be prepared`);
    if (!prepared.prepared) return undefined;
    await ready();
    const done = await this.ask('go', DONE_WITHIN_MS, signal);
    if (!('result' in done)) throw new Error(`the load ${load.kind} came to no end`);
    return done.result;
  }

  close(): void {
    this.child.kill();
  }

  private async ask(order: LoadOrder, withinMs: number, signal: AbortSignal): Promise<LoadReport> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const answered = once(this.child, 'message', { signal: bounded }) as Promise<[LoadReport]>;
    this.child.send(order);
    const [message] = await answered;
    if ('failed' in message) throw new Error(message.failed);
    return message;
  }
}
