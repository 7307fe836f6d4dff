import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROCESSES } from '@packs/contracts';
import { openDataDir } from '../data-dir';
import { inheritedBy, type Environment } from '../environment';
import { kitPublicKeyFile } from '../key-files';
import { writePrivateFile } from '../private-file';
import { startStack, type Stack } from '../stack';
import { quoted, shown } from '../stella-command';
import type { Show } from './show';

/** Where the second registry keeps its data. */
export function siteDataDir({ dataDir }: Pick<Stack, 'dataDir'>): string {
  return join(dataDir, 'site-b');
}

/**
 * A registry of its own, with its own servers, Authority, data and ports. It is sealed from its first start on: all it knows beforehand is, by
 * a file, whose kits it may take.
 */
export async function startSite({ stack, signal, beside }: Show): Promise<Stack> {
  const dataDir = openDataDir(siteDataDir(stack));
  const publicKey = readFileSync(kitPublicKeyFile(stack), 'utf8');
  writePrivateFile(exportersFile(dataDir), `${JSON.stringify({ keys: [{ name: 'first-registry', publicKey }] }, null, 2)}\n`);
  const site = await startStack({
    dataDir,
    signal,
    ports: 'auto',
    // It has no mirrors to compare.
    processes: PROCESSES.filter(name => name !== 'parity-worker'),
    quiet: true,
    inherited: siteEnvironment(process.env, exportersFile(dataDir)),
  });
  beside.started(site);
  return site;
}

/** Servers, ports and settings that the user named are those of the first registry, and so are the numbers that fit its servers. */
export function siteEnvironment(environment: Environment, exporters: string): Environment {
  return { ...inheritedBy('tool', environment), NATS_REPLICAS: undefined, SEALED: 'true', KIT_EXPORTERS_FILE: exporters };
}

/** Starts the second registry again, by itself. */
export function siteCommand(stack: Stack): string {
  const dataDir = siteDataDir(stack);
  // Processes do not run in the folder that the command is typed in.
  return `DATA_DIR=${shown(dataDir)} SEALED=true KIT_EXPORTERS_FILE=${quoted(exportersFile(dataDir))} npm start`;
}

function exportersFile(dataDir: string): string {
  return join(dataDir, 'exporters.json');
}
