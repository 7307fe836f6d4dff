import type { Spread } from './statistics';

/** Rows under their headings: the first column to the left, the others to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, at) => Math.max(heading.length, ...rows.map(row => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return [line(headings), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].map(text => `  ${text.trimEnd()}`).join('\n');
}

/** `median (min-max)`. */
export function shownSpread({ median, min, max }: Spread): string {
  return `${shown(median)} (${shown(min)}-${shown(max)})`;
}

/** Three significant digits, without an exponent. */
export function shown(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function shownBytes(bytes: number): string {
  return bytes >= 1024 ** 2 ? `${bytes / 1024 ** 2} MiB` : `${bytes / 1024} KiB`;
}
