import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { kitPublicKeyFile } from '../key-files';
import type { Stack } from '../stack';
import { shown } from '../stella-command';
import { CHANNEL } from './promotion';
import type { Show } from './show';

export interface Kit {
  readonly file: string;
  readonly generation: number;
}

export function kitFile(stack: Stack): string {
  return join(stack.dataDir, 'kits', `${CHANNEL}.tar`);
}

/** Everything of the channel in one file, its signature beside it. */
export async function makeKit({ stack, steps, as }: Show): Promise<Kit> {
  const [file, key] = [kitFile(stack), kitPublicKeyFile(stack)];
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return steps.run('offline kit', async note => {
    const admin = await as('acme-admin');
    const made = await admin.run(...['pack', 'mirror', 'export', '-o', file, '--channel', CHANNEL, '--key', key, '--output', 'json']);
    const { generation, versions } = JSON.parse(made) as { generation: number; versions: number };
    note(`generation ${generation}, versions: ${versions}`);
    note(`signature in ${shown(`${file}.sigstore.json`)}`);
    return { file, generation };
  });
}
