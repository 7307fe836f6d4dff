import { InvalidArgumentError } from 'commander';

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For options that are a whole number from `least`. */
export function wholeNumber(least: number): (value: string) => number {
  return value => {
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < least) throw new InvalidArgumentError(`must be a whole number from ${least}`);
    return number;
  };
}

/** For options that are a time. */
export function instant(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('must be a time, such as 2026-01-31T00:00:00Z');
  return new Date(time).toISOString();
}
