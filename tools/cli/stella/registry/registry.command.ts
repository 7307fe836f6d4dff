import { Command } from 'commander';
import { registryCommands } from '../../registry/program';
import type { CliContext } from '../../terminal/cli-context';

/** Everything that the `registry` command line has. */
export function registryCommand(context: CliContext): Command {
  const registry = new Command('registry').description('Looks after a registry');
  for (const command of registryCommands(context)) registry.addCommand(command);
  return registry;
}
