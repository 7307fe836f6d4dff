import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clientSecretFile } from '../tools/authority/clients';
import { requestAccessToken } from '../tools/authority/request-access-token';
import { dataDirsWithin } from '../tools/stack/data-dir';
import { endProcess } from '../tools/stack/end-process';
import { isRunning } from '../tools/stack/process-identity';
import { builtFile } from '../tools/stack/repository-root';
import { orphansAmong, RunRecord, type RecordedProcess } from '../tools/stack/run-record';
import { Caller } from './caller';
import { PLAIN_ENVIRONMENT } from './command-line';
import { HOST_SOCKET } from './stack-host-protocol';

const READY = 'The registry is ready.';

// A time-out of a project is not among jest's settings.
jest.setTimeout(60_000);

/** What `npm start` runs, in a process of its own: it can be stopped as with Ctrl-C, or killed. */
export class NpmStart {
  /** What it has printed. */
  said = '';
  private readonly exited: Promise<unknown>;

  /** Also those that never said what they were waited for. */
  private static readonly launched: ChildProcess[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly dataDir: string,
    /** Until it said what it was waited for: as a rule that it was ready. */
    readonly ready: { ms: number },
  ) {
    this.exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', text => (this.said += String(text)));
  }

  /** A data directory that the host of the stacks removes in the end, with whatever still runs on it. */
  static dataDir(name: string): string {
    const socket = process.env[HOST_SOCKET];
    if (!socket) throw new Error('These tests run as the jest project e2e, whose set-up hosts the stacks.');
    return join(dirname(socket), `stack-${name}`);
  }

  /** Resolves when it says that it is ready, or something else that is waited for. */
  static async run(dataDir: string, gatewayPort: number, until = READY): Promise<NpmStart> {
    const started = performance.now();
    const child = spawn(process.execPath, [builtFile('tools', 'stack', 'main.js')], {
      env: { ...PLAIN_ENVIRONMENT, HOME: process.env.HOME, DATA_DIR: dataDir, GATEWAY_PORT: String(gatewayPort) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    NpmStart.launched.push(child);
    const run = new NpmStart(child, dataDir, { ms: 0 });
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', () => run.said.includes(until) && resolve());
      child.once('exit', code => reject(new Error(`npm start ended with ${code}:\n${run.said}`)));
    });
    run.ready.ms = performance.now() - started;
    return run;
  }

  /** What it has started, as its record on disk says. */
  get processes(): readonly RecordedProcess[] {
    return new RunRecord(this.dataDir).previous();
  }

  /** What runs, or ran, of the second registry. */
  get besides(): readonly RecordedProcess[] {
    return dataDirsWithin(this.dataDir).flatMap(folder => [...new RunRecord(folder).previous()]);
  }

  address(label: 'API' | 'Authority'): string {
    const found = new RegExp(`^  ${label} +(http://[\\d.:]+)`, 'm').exec(this.said)?.[1];
    if (!found) throw new Error(`npm start did not say where its ${label} is:\n${this.said}`);
    return found;
  }

  async client(clientId: string): Promise<Caller> {
    const secret = readFileSync(clientSecretFile(join(this.dataDir, 'authority'), clientId), 'utf8').trim();
    return new Caller(
      this.address('API'),
      await requestAccessToken(this.address('Authority'), clientId, secret),
      clientId.split('-')[0] ?? '',
    );
  }

  /** As Ctrl-C does. Returns the exit code. */
  async interrupt(): Promise<number | null> {
    this.child.kill('SIGINT');
    await this.exited;
    return this.child.exitCode;
  }

  /** It alone: what it has started runs on. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Whatever is left on a data directory, by whom it may have been started. */
  static async endAll(dataDir: string): Promise<void> {
    for (const child of NpmStart.launched) child.kill('SIGKILL');
    for (const folder of [dataDir, ...dataDirsWithin(dataDir)])
      for (const { identity } of orphansAmong(new RunRecord(folder).previous())) await endProcess(identity, 'SIGKILL');
  }
}

export function running(processes: readonly RecordedProcess[]): readonly string[] {
  return processes.filter(({ identity }) => isRunning(identity)).map(({ name }) => name);
}
