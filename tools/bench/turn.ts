import { setTimeout as delay } from 'node:timers/promises';
import { machineBusy, peakMib, readTrees, resetPeaks, total, usedBetween, type CpuTime, type Roots } from './processes';
import { percentile } from './statistics';

/** What one side did in one turn. Times of an operation in milliseconds. */
export interface Turn {
  readonly operations: number;
  /** When the first operation began, as milliseconds since 1970. */
  readonly from: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** In 10^6 bytes. */
  readonly megabytesPerSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** By process tree, the work that an operation leaves behind included. */
  readonly cpu: Readonly<Record<string, CpuTime>>;
  readonly peakMib: Readonly<Record<string, number>>;
  /** Processor time of the load generator, and of everybody who is neither it nor measured, in processors. */
  readonly clientCores: number;
  readonly otherCores: number;
}

export interface TurnPlan {
  readonly operations: number;
  readonly clients: number;
  /** Bytes one operation moves. */
  readonly bytes: number;
  readonly roots: Roots;
  readonly signal: AbortSignal;
  /** Awaited before the clock starts, when the trees are idle. */
  readonly begin?: () => Promise<void>;
  /** Asked before each operation but the first; false ends the turn early. */
  readonly goOn?: () => boolean;
  /** Milliseconds a client waits after each operation. */
  readonly pauseMs?: number;
  /** One operation. A failure ends the turn and the bench: figures with failures in them are none. */
  readonly operate: (client: number, at: number) => Promise<void>;
}

const SETTLE_MS = 250;
const SETTLE_CORES = 0.1;
const SETTLE_TRIES = 40;

export async function measureTurn(plan: TurnPlan): Promise<Turn> {
  const { bytes, roots, signal } = plan;
  await settled(roots, signal);
  const before = readTrees(roots);
  resetPeaks(Object.values(before).flatMap(tree => tree.pids));
  await plan.begin?.();
  const busyBefore = machineBusy();
  const clientBefore = process.cpuUsage();
  const from = Date.now();
  const started = performance.now();
  const times = await operateAll(plan);
  const operations = times.length;
  const seconds = (performance.now() - started) / 1000;
  const clientUsed = process.cpuUsage(clientBefore);
  const clientSeconds = (clientUsed.user + clientUsed.system) / 1e6;
  const others = machineBusy() - busyBefore - clientSeconds - total(Object.values(usedBetween(before, readTrees(roots))));
  await settled(roots, signal);
  const after = readTrees(roots);
  return {
    operations,
    from,
    seconds,
    perSecond: operations / seconds,
    megabytesPerSecond: (operations * bytes) / 1e6 / seconds,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    p99: percentile(times, 0.99),
    cpu: usedBetween(before, after),
    peakMib: Object.fromEntries(Object.entries(after).map(([name, { pids }]) => [name, peakMib(pids)])),
    clientCores: clientSeconds / seconds,
    otherCores: Math.max(0, others / seconds),
  };
}

/** @returns the time of each operation in milliseconds */
async function operateAll({ operations, clients, signal, goOn, pauseMs, operate }: TurnPlan): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const client = async (_: unknown, number: number) => {
    while (next < operations && (next === 0 || (goOn?.() ?? true))) {
      signal.throwIfAborted();
      const at = next++;
      const from = performance.now();
      await operate(number, at);
      times.push(performance.now() - from);
      if (pauseMs) await delay(pauseMs, undefined, { signal });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return times;
}

/** Times of one operation after another, without the processes: for what runs within this process. */
export async function measureSteps(count: number, signal: AbortSignal, step: (at: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    signal.throwIfAborted();
    const from = performance.now();
    await step(at);
    times.push(performance.now() - from);
  }
  return percentile(times, 0.5);
}

/** Waits until the trees are idle, so that what one turn leaves to be done is charged to it and does not disturb the next. */
export async function settled(roots: Roots, signal: AbortSignal): Promise<void> {
  let before = total(Object.values(readTrees(roots)));
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    await delay(SETTLE_MS, undefined, { signal });
    const now = total(Object.values(readTrees(roots)));
    if (((now - before) * 1000) / SETTLE_MS < SETTLE_CORES) return;
    before = now;
  }
}
