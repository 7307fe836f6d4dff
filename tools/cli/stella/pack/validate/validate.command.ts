import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PackManifest } from '@packs/domain';
import { buildBundle, parsePackManifest, walkBundle } from '@packs/pack-format';
import { Command } from 'commander';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

export function validateCommand(context: CliContext): Command {
  return withOutput(new Command('validate').description('Checks a pack as the registry will: a folder, a bundle or a pack.yaml'))
    .argument('[path]', 'what to check', '.')
    .action(async (target: string, options: OutputOptions) => {
      const { metadata, kind } = await validate(target);
      const result = { valid: true, path: target, kind, packId: metadata.packId, version: metadata.version };
      printFields(context.stdout, options, result, result);
    });
}

async function validate(target: string): Promise<PackManifest> {
  const known = await stat(target);
  if (known.isDirectory()) return validateFolder(target);
  if (/\.ya?ml$/.test(target)) return parsePackManifest(await readFile(target));
  return (await walkBundle(createReadStream(target), { size: known.size })).manifest;
}

/** By building it: a folder is valid when a bundle can be made of it that the registry accepts. */
async function validateFolder(dir: string): Promise<PackManifest> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'stella-validate-'));
  try {
    return (await buildBundle(dir, path.join(scratch, 'bundle.tgz'))).manifest;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
