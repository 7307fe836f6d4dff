import type { ReverificationAnswer, ReverificationView } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

const ROUTE = '/api/reverification';

export function reverifyCommand(context: CliContext): Command {
  return withOutput(new Command('reverify').description('Tells how far the verification of all published versions by the keys of today is'))
    .option('--start', 'begin one; after a change of keys that is done by itself')
    .action(async (options: OutputOptions & { readonly start?: boolean }) => {
      const registry = await RegistryClient.open(context);
      const answer: ReverificationAnswer = options.start
        ? { reverification: await registry.post<ReverificationView>(ROUTE, {}) }
        : await registry.get<ReverificationAnswer>(ROUTE);
      printFields(context.stdout, options, answer, { ...(answer.reverification ?? { state: 'never' }) });
    });
}
