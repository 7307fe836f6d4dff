import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DomainError, encodePackConfig, PACK_MANIFEST_FILE } from '@packs/domain';
import { buildBundle, parsePackManifest } from '@packs/pack-format';
import { Command } from 'commander';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { bundleFileName, signatureFileOf } from '../pack-files';

interface BuildOptions extends OutputOptions {
  readonly out?: string;
  readonly config?: string;
}

export function buildCommand(context: CliContext): Command {
  return withOutput(new Command('build').description('Makes the bundle of a pack: the same bytes on every machine'))
    .argument('[dir]', 'the folder with pack.yaml', '.')
    .option('-o, --out <file>', 'the bundle to write; absent: <packId>-<version>.tgz')
    .option('--config <file>', 'also writes pack.yaml as canonical JSON, which is the config of a push by an OCI client')
    .action(async (dir: string, options: BuildOptions) => {
      const file = options.out ?? (await defaultFile(dir));
      const { config } = options;
      const beside = [signatureFileOf(file), ...(config === undefined ? [] : [config])];
      const { digest, size, manifest, entries } = await buildBundle(dir, file, beside);
      if (config !== undefined) await writeFile(config, encodePackConfig(manifest));
      const { packId, version } = manifest.metadata;
      const result = { file, packId, version, digest, size, files: entries.length, ...(config !== undefined && { config }) };
      printFields(context.stdout, options, result, result);
    });
}

async function defaultFile(dir: string): Promise<string> {
  const file = path.join(dir, PACK_MANIFEST_FILE);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new DomainError('ERR_PACK_MANIFEST_MISSING', `there is no ${file}`, { cause });
  });
  return bundleFileName(parsePackManifest(bytes).metadata);
}
