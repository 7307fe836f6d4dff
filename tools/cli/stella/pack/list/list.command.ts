import type { PackView } from '@packs/contracts';
import { LIFECYCLES, PACK_TYPES, type Lifecycle, type PackType } from '@packs/domain';
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
  readonly lifecycle?: Lifecycle | 'all';
  readonly limit: number;
}

export function listCommand(context: CliContext): Command {
  return withOutput(new Command('list').description('Lists packs'))
    .option('--name <text>', 'only packs with this in their packId or name')
    .option('--channel <channel>', 'only packs with a version in this channel')
    .option('--tag <tag>', 'only packs with this tag')
    .addOption(new Option('--type <type>', 'only packs of this type').choices(PACK_TYPES))
    .option('--namespace <tenant>', "another tenant's packs that are visible")
    .option('--deprecated', 'only deprecated and archived packs')
    .addOption(new Option('--lifecycle <state>', 'only packs in this state; active unless said').choices([...LIFECYCLES, 'all']))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .action(async ({ output, limit, ...filter }: ListOptions) => {
      const registry = await RegistryClient.open(context);
      const packs = await registry.list<PackView>('/api/packs', 'packs', filter, limit);
      printRows(context.stdout, { output }, { packs }, packs, [
        ['PACK', pack => pack.packId],
        ['VERSION', pack => pack.version],
        ['TYPE', pack => pack.type],
        ['CHANNELS', pack => channelsOf(pack)],
        ['STATE', pack => pack.lifecycle],
        ['NAME', pack => pack.name],
      ]);
    });
}

function channelsOf({ channels }: PackView): string {
  return Object.entries(channels)
    .map(([channel, version]) => `${channel}=${version}`)
    .join(' ');
}
