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

/** A program that leaves exiting to `runProgram` and writes to the context. */
export function prepare(program: Command, context: CliContext): Command {
  return program
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({ writeOut: text => context.stdout.write(text), writeErr: text => context.stderr.write(text) });
}

/** Adds commands made elsewhere; commander passes settings on only to those it makes itself. */
export function adopt(parent: Command, children: readonly Command[]): void {
  for (const child of children) {
    inherit(parent, child);
    parent.addCommand(child);
  }
}

function inherit(parent: Command, child: Command): void {
  child.copyInheritedSettings(parent).helpCommand(false);
  for (const grandchild of child.commands) inherit(child, grandchild);
}
