import type { DeadLetterView } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { wholeNumber } from '../../terminal/option-values';
import { printFields, printRows, withOutput, type OutputOptions } from '../../terminal/output';

const DEAD_LETTERS = '/api/dead-letters';

export function deadLettersCommand(context: CliContext): Command {
  const command = new Command('dead-letters').description('Messages no consumer could take');
  withOutput(command.command('list').description('Lists them'))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .action(async (options: OutputOptions & { readonly limit: number }) => {
      const registry = await RegistryClient.open(context);
      const deadLetters = await registry.list<DeadLetterView>(DEAD_LETTERS, 'deadLetters', {}, options.limit);
      printRows(context.stdout, options, { deadLetters }, deadLetters, [
        ['ID', letter => letter.id],
        ['CONSUMER', letter => letter.consumer],
        ['MESSAGE', letter => letter.subject],
        ['ATTEMPTS', letter => letter.attempts],
        ['DEAD SINCE', letter => letter.deadAt],
        ['REPLAYED', letter => letter.replayedAt],
        ['REASON', letter => letter.reason],
      ]);
    });
  withOutput(command.command('replay').description('Gives one to its consumer again'))
    .argument('<id>')
    .action(async (id: string, options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const response = await registry.request('POST', `${DEAD_LETTERS}/${encodeURIComponent(id)}/replay`);
      const answer: unknown = await response.json().catch(() => null);
      printFields(context.stdout, options, answer ?? { replayed: id }, { replayed: id });
    });
  return command;
}
