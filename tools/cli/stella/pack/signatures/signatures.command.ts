import type { SignatureHistory } from '@packs/contracts';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../../terminal/output';

export function signaturesCommand(context: CliContext): Command {
  return withOutput(new Command('signatures').description('Shows how a published version came to its signatures, the latest change first'))
    .argument('<packId@version>')
    .action(async (reference: string, options: OutputOptions) => {
      const { packId, version } = parseVersionReference(reference);
      const registry = await RegistryClient.open(context);
      const history = await registry.get<SignatureHistory>(`${packPath(packId, version)}/signatures/history`);
      printRows(context.stdout, options, history, history.rotations, [
        ['ROTATION', ({ rotation }) => String(rotation)],
        ['AT', ({ at }) => at],
        ['BY', ({ by }) => by],
        ['ADDED', ({ added }) => added.join(' ')],
        ['REPLACED', ({ replaced }) => replaced.map(({ digest }) => digest).join(' ')],
        ['REASON', ({ reason }) => reason ?? ''],
      ]);
    });
}
