import { readFile } from 'node:fs/promises';
import type { TrustBundleAnswer } from '@packs/contracts';
import { readTrustBundle } from '@packs/sigstore';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

export function rotateCommand(context: CliContext): Command {
  return withOutput(
    new Command('rotate').description(
      'Imports a signed trust bundle in place of the one in force; readers lose at once what it no longer trusts',
    ),
  )
    .argument('<file>', 'a trust bundle')
    .action(async (file: string, options: OutputOptions) => {
      const content = await readFile(file);
      readTrustBundle(content);
      const registry = await RegistryClient.open(context);
      const answer = await registry.put<TrustBundleAnswer>('/api/trust/bundle', JSON.parse(content.toString()));
      const { version, digest, epoch, material, validUntil } = answer;
      printFields(context.stdout, options, answer, { version, digest, epoch, material, 'valid until': validUntil });
    });
}
