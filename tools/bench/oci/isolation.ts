import { percentile } from '../statistics';
import type { Side } from './load-turn';
import type { LoadProcess } from './load-process';

/** How answers for another tenant's content and for what is nowhere differ in time; in milliseconds. */
export interface IsolationRound {
  readonly foreignP50: number;
  readonly absentP50: number;
  /** Kolmogorov and Smirnov's distance of the two distributions, 0 to 1. */
  readonly distance: number;
  /** A distance above this would happen by chance once in a hundred rounds. */
  readonly critical: number;
}

const OPERATIONS = 6_000;
/** sqrt(-ln(0.01 / 2) / 2) */
const ONE_IN_HUNDRED = 1.6276;

/** Asks for both by turns over one connection, as another tenant. */
export async function measureIsolation(loads: LoadProcess, side: Side, signal: AbortSignal): Promise<IsolationRound> {
  const load = { kind: 'foreign-or-absent', clients: 1, operations: OPERATIONS } as const;
  const result = await loads.run(load, await side.reach(), async () => undefined, signal);
  const [foreign, absent] = [result?.times ?? [], result?.absentTimes ?? []];
  return {
    foreignP50: percentile(foreign, 0.5),
    absentP50: percentile(absent, 0.5),
    distance: distance(foreign, absent),
    critical: ONE_IN_HUNDRED * Math.sqrt((foreign.length + absent.length) / (foreign.length * absent.length)),
  };
}

/** The most by which the shares of values up to any one value differ. */
export function distance(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [one.toSorted((x, y) => x - y), other.toSorted((x, y) => x - y)];
  let [most, i, j] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    while (i < a.length && (a[i] ?? Infinity) <= value) i++;
    while (j < b.length && (b[j] ?? Infinity) <= value) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
}
