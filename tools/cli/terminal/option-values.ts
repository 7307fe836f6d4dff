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
