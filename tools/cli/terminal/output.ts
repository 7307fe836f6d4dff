import type { Writable } from 'node:stream';
import { Option, type Command } from 'commander';

type OutputFormat = 'json' | 'table';

export interface OutputOptions {
  readonly output: OutputFormat;
}

/** Adds `--output json|table`. */
export function withOutput(command: Command): Command {
  return command.addOption(new Option('--output <format>', 'how to print').choices(['json', 'table']).default('table'));
}

/** What a registry says must not drive the terminal it is shown on. */
export function printable(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

export type Column<Row> = readonly [title: string, cell: (row: Row) => unknown];

/** Prints `json` as it is, or `rows` in aligned columns. */
export function printRows<Row>(
  out: Writable,
  { output }: OutputOptions,
  json: unknown,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  if (output === 'json') return printJson(out, json);
  const lines = [columns.map(([title]) => title), ...rows.map(row => columns.map(([, cell]) => printable(cell(row))))];
  const widths = columns.map((_, at) => Math.max(...lines.map(line => line[at]?.length ?? 0)));
  for (const line of lines)
    out.write(
      `${line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

/** Prints `json` as it is, or one line for each field that has a value. */
export function printFields(out: Writable, { output }: OutputOptions, json: unknown, fields: Readonly<Record<string, unknown>>): void {
  if (output === 'json') return printJson(out, json);
  const shown = Object.entries(fields).map(
    ([name, value]) => [name, Array.isArray(value) ? value.map(printable).join(', ') : printable(value)] as const,
  );
  const width = Math.max(...shown.map(([name]) => name.length));
  for (const [name, value] of shown) if (value !== '') out.write(`${`${name}:`.padEnd(width + 2)}${value}\n`);
}

function printJson(out: Writable, value: unknown): void {
  out.write(`${JSON.stringify(value, null, 2)}\n`);
}
