import type { PackView } from '@packs/contracts';
import { PACK_TYPES, type PackType } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { wholeNumber } from '../../../terminal/option-values';
import { printRows, withOutput, type OutputOptions } from '../../../terminal/output';

interface ListOptions extends OutputOptions {
  readonly name?: string;
  readonly channel?: string;
  readonly tag?: string;
  readonly type?: PackType;
  readonly namespace?: string;
  readonly deprecated?: true;
  readonly limit: number;
}

export function listCommand(context: CliContext): Command {
  return withOutput(new Command('list').description('Lists packs'))
    .option('--name <text>', 'only packs with this in their packId or name')
    .option('--channel <channel>', 'only packs with a version in this channel')
    .option('--tag <tag>', 'only packs with this tag')
    .addOption(new Option('--type <type>', 'only packs of this type').choices(PACK_TYPES))
    .option('--namespace <tenant>', "another tenant's packs that are visible")
    .option('--deprecated', 'only deprecated packs')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .action(async ({ output, limit, ...filter }: ListOptions) => {
      const registry = await RegistryClient.open(context);
      const packs = await registry.list<PackView>('/api/packs', 'packs', filter, limit);
      printRows(context.stdout, { output }, { packs }, packs, [
        ['PACK', pack => pack.packId],
        ['VERSION', pack => pack.version],
        ['TYPE', pack => pack.type],
        ['CHANNELS', pack => channelsOf(pack)],
        ['NAME', pack => `${pack.name}${pack.deprecated ? ' (deprecated)' : ''}`],
      ]);
    });
}

function channelsOf({ channels }: PackView): string {
  return Object.entries(channels)
    .map(([channel, version]) => `${channel}=${version}`)
    .join(' ');
}
