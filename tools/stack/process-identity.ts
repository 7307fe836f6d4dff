import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A process beyond its pid, which the system gives to another one later. `started` is the boot id and the start in clock ticks on Linux,
 * the start time as `ps` tells it elsewhere.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
  readonly command: string;
}

/** Who has this pid now, or undefined when nobody (a zombie is nobody). */
export function identify(pid: number): ProcessIdentity | undefined {
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);
}

/** True while exactly this process runs, not another one that got its pid. */
export function isRunning(identity: ProcessIdentity, lookUp: (pid: number) => ProcessIdentity | undefined = identify): boolean {
  const now = lookUp(identity.pid);
  return now !== undefined && now.started === identity.started && now.command === identity.command;
}

function identifyByProc(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses: fields are counted from its end. state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, started: `${boot}:${fields[19]}`, command };
  } catch {
    return undefined;
  }
}

function identifyByPs(pid: number): ProcessIdentity | undefined {
  try {
    const line = execFileSync('env', ['LC_ALL=C', 'ps', '-o', 'stat=,lstart=,command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const match = /^(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/s.exec(line);
    if (!match || match[1]?.startsWith('Z')) return undefined;
    return { pid, started: match[2] ?? '', command: match[3] ?? '' };
  } catch {
    return undefined;
  }
}
