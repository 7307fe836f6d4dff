import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LOG = /^connect\.(.+)\.log$/;

/**
 * Runs a process with every connect(2) of it and its children written down in the folder it runs in. The tracer is a grandchild (-D), so
 * that signals reach the process itself.
 */
export const TRACER = ['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=connect', '-o', 'connect.{name}.log'];

/** Whether there is strace, and this machine lets it trace. */
export function isTraceable(): boolean {
  return spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;
}

/** Everything that each process ever tried to connect to, whether it succeeded or not: `host:port`, or the address as strace has it. */
export function connectionsOf(folder: string): Readonly<Record<string, readonly string[]>> {
  const logs = readdirSync(folder).filter(name => LOG.test(name));
  return Object.fromEntries(logs.map(name => [LOG.exec(name)?.[1] ?? '', peersIn(readFileSync(join(folder, name), 'utf8'))]));
}

function peersIn(log: string): string[] {
  const calls = [...log.matchAll(/\bconnect\(\d+, (\{.*?\}), \d+/g)].map(([, address = '']) => address);
  return [...new Set(calls.map(peerOf))].toSorted();
}

function peerOf(address: string): string {
  const inet = /^\{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)\}$/.exec(address);
  return inet ? `${inet[2]}:${inet[1]}` : address;
}
