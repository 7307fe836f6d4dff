import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { identify, type ProcessIdentity } from './process-identity';

const LISTENING = '0A';

/** The process that listens on a local TCP port, as far as this user may know. */
export async function findListener(port: number): Promise<ProcessIdentity | undefined> {
  const pid = process.platform === 'linux' ? await pidByProc(port) : await pidByLsof(port);
  return pid === undefined ? undefined : identify(pid);
}

async function pidByProc(port: number): Promise<number | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(path => readFile(path, 'utf8').catch(() => '')));
  const inodes = new Set(tables.flatMap(table => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  for (const pid of pids) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(pid);
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on `port` in a table of the form of /proc/net/tcp. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1]?.endsWith(suffix) && fields[3] === LISTENING)
    .flatMap(fields => fields[9] ?? []);
}

async function pidByLsof(port: number): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t']);
    return Number.parseInt(stdout, 10) || undefined;
  } catch {
    return undefined;
  }
}
