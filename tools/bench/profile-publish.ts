import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROCESSES } from '@packs/contracts';
import { profileProcess } from './cpu-profile';
import { HttpClient } from './http-client';
import type { RegistryUnderTest } from './registry-under-test';
import type { SignedPacks } from './signed-packs';

const BYTES = 4 * 1024;
const PROFILE_MS = 5_000;
const AHEAD = 50;

/** Profiles one process after another while a client publishes without a pause. */
export async function profileProcesses(
  registry: RegistryUnderTest,
  packs: SignedPacks,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const ending = new AbortController();
  const publishing = publishUntil(registry, packs, AbortSignal.any([signal, ending.signal]));
  // Its failure is reported below, when the last profile is there or could not be taken.
  publishing.catch(() => undefined);
  try {
    for (const name of PROCESSES) {
      const file = join(folder, `${name}.cpuprofile`);
      await profileProcess(registry.roots[name] ?? 0, PROFILE_MS, file);
      console.log(`profile of ${name}: ${file}`);
    }
  } finally {
    ending.abort();
    await publishing;
  }
}

async function publishUntil(registry: RegistryUnderTest, packs: SignedPacks, signal: AbortSignal): Promise<void> {
  const client = new HttpClient();
  while (!signal.aborted) {
    for (const pack of await packs.make(AHEAD, BYTES)) {
      if (!signal.aborted) await registry.publish(client, pack);
    }
  }
  client.close();
}
