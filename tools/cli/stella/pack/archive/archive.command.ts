import type { LifecycleInput, VersionView } from '@packs/contracts';
import { Command } from 'commander';
import { parseReference, parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

interface ArchiveOptions extends OutputOptions {
  readonly reason?: string;
  readonly replacement?: string;
}

export function archiveCommand(context: CliContext): Command {
  return withOutput(new Command('archive').description('Takes a version out of every list that does not ask for it; there is no way back'))
    .argument('<packId@version>')
    .option('--reason <text>', 'why')
    .option('--replacement <packId[@version]>', 'what to use instead')
    .action(async (text: string, { reason, replacement, ...options }: ArchiveOptions) => {
      const { packId, version } = parseVersionReference(text);
      if (replacement !== undefined) parseReference(replacement);
      const input: LifecycleInput = { state: 'archived', reason, replacement };
      const registry = await RegistryClient.open(context);
      const view = await registry.post<VersionView>(`${packPath(packId, version)}/lifecycle`, input);
      printFields(context.stdout, options, view, {
        archived: `${packId}@${version}`,
        ...view.archival,
        replacement: view.deprecation?.replacement,
      });
    });
}
