import { touchVolume } from '../machine';
import { machineBusy, peakMib, readTrees, resetPeaks, total, usedBetween, type CpuTime, type Roots } from '../processes';
import { percentile } from '../statistics';
import { settled, type Turn } from '../turn';
import type { Load, LoadResult, Target } from './load';
import type { LoadProcess } from './load-process';

/** A registry that is measured. */
export interface Side {
  readonly name: string;
  readonly roots: Roots;
  /** Reached with a token that is still good for a while. */
  reach(): Promise<Target>;
}

/** What one side did in one turn. */
export interface LoadTurn extends Turn {
  readonly bystanderP99: number | undefined;
}

/** The most that is written in a turn is what it pushes, and a manifest each. */
const TOUCH_FACTOR = 1.3;

/** @returns undefined when the registry does not serve this */
export async function measureLoad(
  loads: LoadProcess,
  side: Side,
  load: Load,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<{ readonly turn: LoadTurn; readonly result: LoadResult } | undefined> {
  let before = readTrees(side.roots);
  let busy = 0;
  const ready = async () => {
    touchVolume(folder, pushedBytes(load) * TOUCH_FACTOR);
    await settled(side.roots, signal);
    before = readTrees(side.roots);
    resetPeaks(Object.values(before).flatMap(tree => tree.pids));
    busy = machineBusy();
  };
  const result = await loads.run(load, await side.reach(), ready, signal);
  if (!result) return undefined;
  const measured = total(Object.values(usedBetween(before, readTrees(side.roots))));
  const others = machineBusy() - busy - result.clientCpuSeconds - measured;
  await settled(side.roots, signal);
  const after = readTrees(side.roots);
  const peaks = Object.fromEntries(Object.entries(after).map(([name, { pids }]) => [name, peakMib(pids)]));
  return { turn: turnOf(result, { cpu: usedBetween(before, after), peaks, others }), result };
}

function turnOf(
  { times, seconds, bytes, clientCpuSeconds, bystanderTimes }: LoadResult,
  {
    cpu,
    peaks,
    others,
  }: { readonly cpu: Record<string, CpuTime>; readonly peaks: Readonly<Record<string, number>>; readonly others: number },
): LoadTurn {
  return {
    from: Date.now() - seconds * 1000,
    operations: times.length,
    seconds,
    perSecond: times.length / seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    p99: percentile(times, 0.99),
    cpu,
    peakMib: peaks,
    clientCores: clientCpuSeconds / seconds,
    otherCores: Math.max(0, others / seconds),
    bystanderP99: bystanderTimes.length > 0 ? percentile(bystanderTimes, 0.99) : undefined,
  };
}

function pushedBytes({ kind, bytes = 0, operations }: Load): number {
  if (kind === 'push' || kind === 'push-chunked') return bytes * operations;
  return kind === 'mixed' ? (bytes * operations) / 4 : 0;
}
