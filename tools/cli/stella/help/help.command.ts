import { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { EXIT_CODES } from '../../terminal/exit-codes';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

const TOPIC = 'exit-codes';

export function helpCommand(context: CliContext): Command {
  return withOutput(new Command('help'))
    .description('Explains a command, or the exit codes')
    .argument('[topic...]', `names of a command, or ${TOPIC}`)
    .action((topic: readonly string[], options: OutputOptions, command: Command) => {
      if (topic[0] === TOPIC) return printExitCodes(context, options);
      const program = command.parent ?? command;
      const found = topic.reduce<Command | undefined>((at, name) => at?.commands.find(child => child.name() === name), program);
      if (!found) command.error(`error: there is no command "${topic.join(' ')}"`);
      else found.outputHelp();
    });
}

function printExitCodes(context: CliContext, options: OutputOptions): void {
  const codes = Object.entries(EXIT_CODES).map(([reason, [code, meaning]]) => ({ code, reason, meaning }));
  printRows(context.stdout, options, codes, codes, [
    ['CODE', row => row.code],
    ['MEANING', row => row.meaning],
  ]);
}
