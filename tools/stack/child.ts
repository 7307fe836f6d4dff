import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess, GRACE_MS, signalProcess } from './end-process';
import { logTail } from './log-tail';
import { identify, type ProcessIdentity } from './process-identity';
import type { RunRecord } from './run-record';
import { StepError } from './step-error';

/** How to run one process of the stack. */
export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Processes of a higher tier ask those below for something: they are stopped first, one tier after another. */
  readonly tier: 'store' | 'service' | 'worker' | 'edge';
  readonly stopSignal?: NodeJS.Signals;
  readonly graceMs?: number;
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Resolves when the process does its work; is called again and again until it does. */
  readonly ready: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  /** A start that ends at once with this in its log is tried again for a few seconds. */
  readonly retryWhenLogSays?: RegExp;
}

export const STOP_ORDER: readonly ChildSpec['tier'][] = ['edge', 'worker', 'service', 'store'];

const READY_WITHIN_MS = 30_000;
const READY_POLL_MS = 40;
const LOG_LINES = 15;
const RETRIES = 20;
const RETRY_MS = 250;
/** Signals after which a process is not expected to be there any more. */
const FATAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']);

/** One process of the stack, in its own session so that the terminal's Ctrl-C reaches only the stack, which ends it in order. */
export class Child {
  private process: ChildProcess | undefined;
  private identity: ProcessIdentity | undefined;
  private exited: Promise<void> = Promise.resolve();
  /** The last stop, which whoever asks for another one waits for: a second signal would mean something else. */
  private ending: { readonly identity: ProcessIdentity; readonly done: Promise<void> } | undefined;
  /** True while the process is meant to run: an exit then is a crash. */
  private wanted = false;

  constructor(
    readonly spec: ChildSpec,
    private readonly record: RunRecord,
    private readonly onCrash: (child: Child) => void = () => undefined,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.identity?.pid;
  }

  /** Starts the process and waits until it is ready. */
  async start(): Promise<void> {
    if (this.identity) throw new Error(`${this.name} runs already.`);
    await this.startOnce(RETRIES);
    this.wanted = true;
    if (!this.identity) this.onCrash(this);
  }

  private async startOnce(retries: number): Promise<void> {
    const child = this.spawn();
    try {
      await this.untilReady(child);
      this.identifyAgain();
    } catch (error) {
      await this.stop();
      if (retries === 0 || !this.spec.retryWhenLogSays?.test(this.logs(LOG_LINES))) throw error;
      await delay(RETRY_MS);
      await this.startOnce(retries - 1);
    }
  }

  /** Asks the process to end, once, insists after a while, and returns when it is gone. */
  async stop(): Promise<void> {
    this.wanted = false;
    this.identifyAgain();
    const { identity } = this;
    if (identity && this.ending?.identity !== identity) {
      const done = endProcess(identity, this.spec.stopSignal ?? 'SIGTERM', this.spec.graceMs ?? GRACE_MS);
      this.ending = { identity, done };
    }
    await this.ending?.done;
    await this.exited;
  }

  /** Sends a signal as an operator would; waits for the end of a process that a signal ends. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (FATAL.has(signal)) this.wanted = false;
    if (this.identity) signalProcess(this.identity, signal);
    if (FATAL.has(signal)) await this.exited;
  }

  /** The end of what the process wrote. */
  logs(lines = 200): string {
    return logTail(this.spec.logFile, lines);
  }

  /** A command that puts another in its own place (execve), as a tracer does, is called as that from then on. */
  private identifyAgain(): void {
    const known = this.identity;
    const now = known && identify(known.pid);
    if (!known || !now || now.started !== known.started || now.command === known.command) return;
    this.identity = now;
    this.record.add({ name: this.name, identity: now, stopSignal: this.spec.stopSignal ?? 'SIGTERM' });
  }

  private spawn(): ChildProcess {
    const { command, args, env, cwd = '/', user, logFile } = this.spec;
    const log = openSync(logFile, 'a', 0o600);
    try {
      const child = spawn(command, args, { env, cwd, ...user, detached: true, stdio: ['ignore', log, log] });
      this.process = child;
      this.identity = child.pid === undefined ? undefined : identify(child.pid);
      if (this.identity) this.record.add({ name: this.name, identity: this.identity, stopSignal: this.spec.stopSignal ?? 'SIGTERM' });
      this.exited = this.watchExit(child);
      return child;
    } finally {
      closeSync(log);
    }
  }

  private async watchExit(child: ChildProcess): Promise<void> {
    try {
      await once(child, 'exit');
    } catch {
      // The command could not be run at all: `untilReady` reports it with the reason in the log.
    }
    this.identity = undefined;
    this.record.remove(this.name);
    if (this.wanted) {
      this.wanted = false;
      this.onCrash(this);
    }
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    let unrunnable: Error | undefined;
    child.once('error', error => (unrunnable = error));
    const deadline = performance.now() + (this.spec.readyWithinMs ?? READY_WITHIN_MS);
    while (performance.now() < deadline) {
      if (await this.spec.ready().catch(unlessFinal)) return;
      if (unrunnable)
        throw new StepError(`${this.name} could not be run: ${unrunnable.message}`, `Check that ${this.spec.command} exists.`);
      if (child.exitCode !== null || child.signalCode !== null) throw this.failure(`ended with ${describeExit(child)}`);
      await delay(READY_POLL_MS);
    }
    throw this.failure(`was not ready within ${(this.spec.readyWithinMs ?? READY_WITHIN_MS) / 1000} s`);
  }

  private failure(what: string): StepError {
    const tail = this.logs(LOG_LINES);
    return new StepError(`${this.name} ${what}.${tail ? ` Its last log lines:\n${tail}` : ''}`, `Read ${this.spec.logFile}.`);
  }

  /** How the process ended, with its last log lines. */
  describeCrash(): string {
    const how = this.process ? describeExit(this.process) : 'an unknown reason';
    return `${this.name} ended with ${how}. Its last log lines:\n${this.logs(LOG_LINES)}`;
  }
}

/** A probe fails while the process is coming up; a StepError is a diagnosis that waiting does not change. */
function unlessFinal(error: unknown): false {
  if (error instanceof StepError) throw error;
  return false;
}

function describeExit({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ? `signal ${signalCode}` : `code ${exitCode}`;
}
