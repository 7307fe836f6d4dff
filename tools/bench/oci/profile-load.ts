import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { profileProcess } from '../cpu-profile';
import type { Load } from './load';
import type { LoadProcess } from './load-process';
import type { Side } from './load-turn';

const PROFILE_MS = 3_000;
/** As many as do not end before the profile does. */
const OPERATIONS = 1_000_000;

interface Profiled {
  readonly loads: LoadProcess;
  readonly side: Side;
  readonly load: Load;
  readonly signal: AbortSignal;
}

/** Samples one process of a side while a load runs. @returns the file */
export async function profileLoad({ loads, side, load, signal }: Profiled, process: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = resolve(join(folder, `${process}-${load.kind}-${load.bytes ?? 0}.cpuprofile`));
  let profiling: Promise<void> = Promise.resolve();
  const start = async () => {
    profiling = profileProcess(side.roots[process] ?? 0, PROFILE_MS, file);
    // Its failure is reported below, after the load.
    profiling.catch(() => undefined);
  };
  await loads.run({ ...load, operations: OPERATIONS }, await side.reach(), start, signal);
  await profiling;
  return file;
}
