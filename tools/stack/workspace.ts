import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROCESSES } from '@packs/contracts';
import { Child, STOP_ORDER, type ChildSpec } from './child';
import { dataDirsWithin, emptyDataDir, openDataDir } from './data-dir';
import { DATABASE_PROCESSES } from './database-urls';
import { endProcess } from './end-process';
import type { Environment } from './environment';
import { isGateway } from './gateway-processes';
import { rotateLog } from './log-tail';
import { PortBook } from './ports';
import { removeOutsideCluster, runningServer } from './postgres-home';
import { orphansAmong, RunRecord, type RecordedProcess } from './run-record';
import { loadSecrets, type StackSecrets } from './secrets';
import { StackLock } from './stack-lock';
import type { Steps } from './steps';

/** A NATS user that may do everything, for inspection and tests; no process has its password. */
export const NATS_ADMIN = 'admin';

export interface WorkspaceOptions {
  readonly dataDir: string;
  readonly environment: Environment;
  readonly steps: Steps;
  readonly fresh: boolean;
  readonly onCrash: (child: Child) => void;
  readonly signal?: AbortSignal;
}

/** A data directory held by this run: its ports, its secrets, and every process started from it. */
export class Workspace {
  readonly ports: PortBook;
  readonly secrets: StackSecrets;
  readonly environment: Environment;
  readonly steps: Steps;
  private readonly children: Child[] = [];

  private constructor(
    readonly dataDir: string,
    private readonly lock: StackLock,
    private readonly record: RunRecord,
    private readonly options: WorkspaceOptions,
  ) {
    this.environment = options.environment;
    this.steps = options.steps;
    this.ports = new PortBook(dataDir);
    this.secrets = loadSecrets(dataDir, { databases: [...DATABASE_PROCESSES, 'auditor'], nats: [...PROCESSES, NATS_ADMIN] });
    options.signal?.addEventListener('abort', () => void this.stopChildren(), { once: true });
  }

  static async open(options: WorkspaceOptions): Promise<Workspace> {
    const dataDir = openDataDir(options.dataDir);
    const lock = StackLock.take(dataDir);
    try {
      const record = new RunRecord(dataDir);
      await reap(dataDir, record, options.steps);
      for (const within of dataDirsWithin(dataDir)) await reapWithin(within, options);
      if (options.fresh) {
        removeOutsideCluster(dataDir);
        emptyDataDir(dataDir);
      }
      return new Workspace(dataDir, lock, record, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  logFile(name: string): string {
    return join(this.dataDir, 'logs', `${name}.log`);
  }

  /** Starts a process and waits until it is ready; it is stopped with the workspace. */
  async start(spec: ChildSpec): Promise<Child> {
    this.options.signal?.throwIfAborted();
    rotateLog(spec.logFile);
    const child = new Child(spec, this.record, this.options.onCrash);
    this.children.push(child);
    await child.start();
    return child;
  }

  child(name: string): Child | undefined {
    return this.children.find(child => child.name === name);
  }

  /** Stops everything this run started, askers before the asked, and lets go of the data directory. */
  async close(): Promise<void> {
    await this.stopChildren();
    this.lock.release();
  }

  /** Ends everything at once: what an impatient second Ctrl-C asks for. PostgreSQL recovers from its log at the next start. */
  async abandon(): Promise<void> {
    await Promise.all(this.children.map(child => child.kill(child.name === 'postgres' ? 'SIGQUIT' : 'SIGKILL')));
  }

  /** Deletes the data directory and what is kept outside it; only after `close`. */
  destroy(): void {
    removeOutsideCluster(this.dataDir);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async stopChildren(): Promise<void> {
    for (const tier of STOP_ORDER) await Promise.all(this.children.filter(({ spec }) => spec.tier === tier).map(child => child.stop()));
  }
}

/** Ends what a killed run left behind: askers before the asked, and those that drain all at once. */
async function reap(dataDir: string, record: RunRecord, steps: Steps): Promise<void> {
  const end = async ({ name, identity, stopSignal }: RecordedProcess): Promise<void> => {
    steps.say(`  ending ${name} (process ${identity.pid}), left over from an earlier run`);
    await endProcess(identity, stopSignal);
  };
  const orphans = orphansAmong(record.previous());
  const drains = ({ name }: RecordedProcess): boolean => isGateway(name) || PROCESSES.some(process => process === name);
  await Promise.all(orphans.filter(drains).map(end));
  for (const server of orphans.filter(orphan => !drains(orphan))) await end(server);
  const server = runningServer(dataDir);
  if (server) {
    steps.say(`  ending PostgreSQL (process ${server.pid}), left over from an earlier run`);
    await endProcess(server, 'SIGINT');
  }
}

/** Whoever runs a stack there on purpose holds its lock and is left alone, unless its data is to be deleted: that is refused. */
async function reapWithin(dataDir: string, { fresh, steps }: WorkspaceOptions): Promise<void> {
  if (!fresh && StackLock.isHeld(dataDir)) return;
  const lock = StackLock.take(dataDir);
  try {
    await reap(dataDir, new RunRecord(dataDir), steps);
  } finally {
    lock.release();
  }
}
