import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Process ids of what is measured, by the name it has in the report; a tree is a process with all its descendants. */
export type Roots = Readonly<Record<string, number>>;

/** Servers the product stands on: their use is not the product's. */
export const SERVERS: readonly string[] = ['PostgreSQL', 'NATS'];

/** CPU time in seconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

export interface Tree extends CpuTime {
  readonly pids: readonly number[];
}

interface Stat extends CpuTime {
  readonly parent: number;
}

/** USER_HZ, which Linux fixes at 100 for every architecture this runs on. */
const TICKS_PER_SECOND = 100;
const MIB = 1024;

/** CPU time of whole process trees since they started. A child that has ended counts with its parent, who waited for it. */
export function readTrees(roots: Roots): Record<string, Tree> {
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat) all.set(Number(name), stat);
  }
  return Object.fromEntries(Object.entries(roots).map(([name, root]) => [name, treeOf(root, all)]));
}

/** What the trees used between two readings. */
export function usedBetween(before: Record<string, Tree>, after: Record<string, Tree>): Record<string, CpuTime> {
  return Object.fromEntries(
    Object.entries(after).map(([name, { user, system }]) => {
      const start = before[name] ?? { user: 0, system: 0 };
      return [name, { user: user - start.user, system: system - start.system }];
    }),
  );
}

export function total(times: Iterable<CpuTime>): number {
  return Array.from(times).reduce((sum, { user, system }) => sum + user + system, 0);
}

/** Makes the kernel start the peaks of resident memory anew; processes of another user keep theirs since their start. */
export function resetPeaks(pids: readonly number[]): void {
  for (const pid of pids) ignoringGone(() => writeFileSync(`/proc/${pid}/clear_refs`, '5'));
}

/** The sum of the peaks of resident memory, in MiB. */
export function peakMib(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    ignoringGone(() => {
      kib += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
    });
  }
  return kib / MIB;
}

/** Seconds the whole machine's processors were busy since it started. */
export function machineBusy(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + interrupt + softInterrupt) / TICKS_PER_SECOND;
}

function treeOf(root: number, all: ReadonlyMap<number, Stat>): Tree {
  const pids = new Set([root]);
  for (let before = 0; before !== pids.size;) {
    before = pids.size;
    for (const [pid, { parent }] of all) if (pids.has(parent)) pids.add(pid);
  }
  const stats = [...pids].flatMap(pid => all.get(pid) ?? []);
  const sum = (of: (stat: Stat) => number) => stats.reduce((seconds, stat) => seconds + of(stat), 0);
  return { pids: [...pids], user: sum(stat => stat.user), system: sum(stat => stat.system) };
}

/** proc_pid_stat(5): the fields behind the command, which may itself contain blanks and parentheses. */
function readStat(pid: number): Stat | undefined {
  let text = '';
  ignoringGone(() => (text = readFileSync(`/proc/${pid}/stat`, 'latin1')));
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent, user, system, childUser, childSystem] = [0, 1, 11, 12, 13, 14].map(at => fields[at] ?? 0);
  if (parent === undefined || user === undefined || system === undefined || text === '') return undefined;
  return { parent, user: (user + (childUser ?? 0)) / TICKS_PER_SECOND, system: (system + (childSystem ?? 0)) / TICKS_PER_SECOND };
}

function ignoringGone(act: () => void): void {
  try {
    act();
  } catch {
    // It ended between being listed and being read, or belongs to somebody else.
  }
}
