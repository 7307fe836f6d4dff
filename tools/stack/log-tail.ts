import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';

const BYTES_PER_LINE = 512;

/** The last lines of a file, without reading the rest of it. */
export function logTail(path: string, lines: number): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, lines * BYTES_PER_LINE);
    const buffer = Buffer.alloc(length);
    readSync(file, buffer, 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(file);
  }
}

/** Moves the log of the run before aside, so that a log file tells of one run. */
export function rotateLog(path: string): void {
  if (existsSync(path)) renameSync(path, path.replace(/\.log$/, '.previous.log'));
}
