import { spawnSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { cpus, freemem, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

const PIECE = Buffer.alloc(4 * 1024 * 1024, 1);
const MOST = 3 * 1024 ** 3;
const GIB = 1024 ** 3;

/** What the figures were taken on. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  readonly freeGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Device, file system and free space of the folder with the data. */
  readonly volume: string;
  /** Load averages before the run. */
  readonly load: readonly number[];
}

export function describeMachine(dataDir: string): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memoryGib: totalmem() / GIB,
    freeGib: freemem() / GIB,
    kernel: release(),
    node: process.version,
    volume: volumeOf(dataDir),
    load: loadavg(),
  };
}

/**
 * Writes and deletes as many bytes as a turn will. Where a virtual machine gives free memory back to its host, the first use of a page of the
 * cache costs more than the work that is measured.
 */
export function touchVolume(folder: string, bytes: number): void {
  const file = join(folder, `touch-${process.pid}`);
  const descriptor = openSync(file, 'w');
  try {
    for (let left = Math.min(bytes, MOST); left > 0; left -= PIECE.length) writeSync(descriptor, PIECE);
  } finally {
    closeSync(descriptor);
    unlinkSync(file);
  }
}

function volumeOf(folder: string): string {
  const { stdout } = spawnSync('df', ['--output=source,fstype,avail', '-h', folder], { encoding: 'utf8' });
  return (stdout ?? '').trim().split('\n').at(-1)?.replaceAll(/\s+/g, ' ') ?? 'unknown';
}
