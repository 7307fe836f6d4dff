import type { VersionView } from '@packs/contracts';
import { Command } from 'commander';
import { parseReference, parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

interface DeprecateOptions extends OutputOptions {
  readonly reason?: string;
  readonly replacement?: string;
}

export function deprecateCommand(context: CliContext): Command {
  return withOutput(new Command('deprecate').description('Marks a version as one nobody should start to use'))
    .argument('<packId@version>')
    .option('--reason <text>', 'why')
    .option('--replacement <packId[@version]>', 'what to use instead')
    .action(async (text: string, options: DeprecateOptions) => {
      const { packId, version } = parseVersionReference(text);
      const { reason, replacement } = options;
      if (replacement !== undefined) parseReference(replacement);
      const registry = await RegistryClient.open(context);
      const view = await registry.json<VersionView>('DELETE', packPath(packId, version), { reason, replacement });
      printFields(context.stdout, options, view, { deprecated: `${packId}@${version}`, ...view.deprecation });
    });
}
