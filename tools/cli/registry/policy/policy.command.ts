import { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { spawnReplay } from './replay-program';
import { replayCommand } from './replay.command';

export function registryPolicyCommand(context: CliContext): Command {
  const policy = new Command('policy').description('What was decided by policies');
  policy.addCommand(replayCommand(context, spawnReplay));
  return policy;
}
