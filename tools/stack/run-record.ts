import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './private-file';
import { isRunning, type ProcessIdentity } from './process-identity';

export interface RecordedProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** The signal that asks this process to end in good order. */
  readonly stopSignal: NodeJS.Signals;
}

/** What this run started, kept on disk so that the next run can recognise what a killed run left behind. */
export class RunRecord {
  private readonly path: string;
  private processes: RecordedProcess[] = [];

  constructor(dataDir: string) {
    this.path = join(dataDir, 'run.json');
  }

  /** Everything an earlier run recorded, in the order it was started. */
  previous(): readonly RecordedProcess[] {
    if (!existsSync(this.path)) return [];
    try {
      const { processes } = JSON.parse(readFileSync(this.path, 'utf8')) as { processes?: RecordedProcess[] };
      return (processes ?? []).filter(entry => Number.isInteger(entry?.identity?.pid) && entry.identity.pid > 1);
    } catch {
      return [];
    }
  }

  /** Written before anything else happens with the process: a stack killed a moment later must find it again. */
  add(entry: RecordedProcess): void {
    this.save([...this.processes.filter(({ name }) => name !== entry.name), entry]);
  }

  remove(name: string): void {
    this.save(this.processes.filter(entry => entry.name !== name));
  }

  private save(processes: RecordedProcess[]): void {
    this.processes = processes;
    writePrivateFile(this.path, `${JSON.stringify({ processes }, null, 2)}\n`);
  }
}

/** The recorded processes that still run and still are what was recorded, last started first. */
export function orphansAmong(
  recorded: readonly RecordedProcess[],
  lookUp?: (pid: number) => ProcessIdentity | undefined,
): RecordedProcess[] {
  return recorded.filter(({ identity }) => isRunning(identity, lookUp)).reverse();
}
