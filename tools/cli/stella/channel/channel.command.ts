import type { ChannelList, ChannelView } from '@packs/contracts';
import { parseChannel } from '@packs/domain';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface SetOptions extends OutputOptions {
  readonly description: string;
}

const CHANNELS = '/api/channels';

export function channelCommand(context: CliContext): Command {
  const channel = new Command('channel').description('Channels that packs are published and promoted to');
  withOutput(channel.command('list').description('Lists the channels')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    const answer = await registry.get<ChannelList>(CHANNELS);
    print(context, options, answer, answer.channels);
  });
  withOutput(channel.command('set').description("Adds a channel of the tenant's own, or describes it anew"))
    .argument('<name>')
    .option('--description <text>', 'what it is for', '')
    .action(async (name: string, { description, ...options }: SetOptions) => {
      const path = `${CHANNELS}/${encodeURIComponent(parseChannel(name))}`;
      const registry = await RegistryClient.open(context);
      const answer = await registry.put<ChannelView>(path, { description });
      print(context, options, answer, [answer]);
    });
  return channel;
}

function print(context: CliContext, options: OutputOptions, answer: unknown, channels: readonly ChannelView[]): void {
  printRows(context.stdout, options, answer, channels, [
    ['CHANNEL', channel => channel.name],
    ['SINCE', channel => channel.createdAt ?? '(built in)'],
    ['BY', channel => channel.createdBy],
    ['DESCRIPTION', channel => channel.description],
  ]);
}
