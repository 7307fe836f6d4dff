import { Command } from 'commander';
import type { CliContext } from '../terminal/cli-context';
import { adopt, prepare } from '../terminal/run-program';
import { CLI_VERSION } from '../version';
import { deadLettersCommand } from './dead-letters/dead-letters.command';

/** The `registry` command line, for those who run one. It uses the login of `stella`. */
export function registryProgram(context: CliContext): Command {
  const program = prepare(new Command('registry'), context).description('Looks after a registry').version(CLI_VERSION);
  adopt(program, [deadLettersCommand(context)]);
  return program;
}
