/** Median and range of what several rounds measured. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export type Verdict = 'won' | 'lost' | 'even';

/** The smallest value that at least `share` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('no value was measured');
  return found;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (min === undefined || max === undefined || low === undefined || high === undefined) throw new RangeError('no value was measured');
  return { median: (low + high) / 2, min, max };
}

export function scaled({ median, min, max }: Spread, factor: number): Spread {
  return { median: median * factor, min: min * factor, max: max * factor };
}

/** For a quantity of which less is better: decided only when the ranges do not touch. */
export function verdictOf(ours: Spread, bound: Spread): Verdict {
  if (ours.max < bound.min) return 'won';
  return ours.min > bound.max ? 'lost' : 'even';
}
