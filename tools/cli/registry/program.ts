import { Command } from 'commander';
import type { CliContext } from '../terminal/cli-context';
import { adopt, prepare } from '../terminal/run-program';
import { CLI_VERSION } from '../version';
import { deadLettersCommand } from './dead-letters/dead-letters.command';
import { replayEventsCommand } from './replay-events/replay-events.command';
import { scrubCommand } from './scrub/scrub.command';
import { sealedCommand } from './sealed/sealed.command';
import { trustCommand } from './trust/trust.command';

/** The `registry` command line, for those who run one. It uses the login of `stella`. */
export function registryProgram(context: CliContext): Command {
  const program = prepare(new Command('registry'), context).description('Looks after a registry').version(CLI_VERSION);
  adopt(program, registryCommands(context));
  return program;
}

/** Its commands; `stella registry` has them as well. */
export function registryCommands(context: CliContext): Command[] {
  return [deadLettersCommand(context), replayEventsCommand(context), scrubCommand(context), sealedCommand(context), trustCommand(context)];
}
