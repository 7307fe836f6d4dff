import type { Command } from 'commander';
import type { CliContext } from './cli-context';
import { exitCodeOf } from './exit-codes';
import { reportError } from './report-error';

/** Runs one command line and gives its exit code. */
export async function runProgram(program: Command, args: readonly string[], context: CliContext): Promise<number> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    reportError(context.stderr, error);
    return exitCodeOf(error);
  }
}

/** Settings that subcommands inherit have to be there before they are added. */
export function prepare(program: Command, context: CliContext): Command {
  return program
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({ writeOut: text => context.stdout.write(text), writeErr: text => context.stderr.write(text) });
}
