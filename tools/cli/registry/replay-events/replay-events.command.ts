import type { ReplayAnswer } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { instant } from '../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

interface ReplayOptions extends OutputOptions {
  readonly consumer: string;
  readonly since?: string;
  readonly rebuild?: true;
}

export function replayEventsCommand(context: CliContext): Command {
  return withOutput(new Command('replay-events').description('Hands recorded events of the tenant to a consumer again'))
    .requiredOption('--consumer <name>', 'such as compliance-coverage')
    .option('--since <time>', 'events from then on, such as 2026-01-31T00:00:00Z; absent: from the first', instant)
    .option('--rebuild', "empty the consumer's projection of the tenant first")
    .action(async ({ consumer, since, rebuild, ...options }: ReplayOptions) => {
      const registry = await RegistryClient.open(context);
      const answer = await registry.post<ReplayAnswer>('/api/replays', { consumer, since, rebuild: rebuild ?? false });
      printFields(context.stdout, options, answer, { ...answer });
    });
}
