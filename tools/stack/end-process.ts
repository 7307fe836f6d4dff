import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from './process-identity';

const POLL_MS = 25;

/** How long a process may take to end in good order before it is ended hard. Processes drain for about 5 s. */
export const GRACE_MS = 12_000;

/** Ends one exact process: asks, waits, insists. Returns when it is gone; never touches a process that merely has its pid. */
export async function endProcess(identity: ProcessIdentity, stopSignal: NodeJS.Signals, graceMs = GRACE_MS): Promise<void> {
  for (const [signal, patience] of [
    [stopSignal, graceMs],
    ['SIGKILL', 5000],
  ] as const) {
    if (!signalProcess(identity, signal)) return;
    if (await isGone(identity, patience)) return;
  }
  throw new Error(`Process ${identity.pid} (${identity.command}) does not end, not even by SIGKILL.`);
}

/** False when the process is gone already. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function isGone(identity: ProcessIdentity, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (!isRunning(identity)) return true;
    await delay(POLL_MS);
  }
  return !isRunning(identity);
}
