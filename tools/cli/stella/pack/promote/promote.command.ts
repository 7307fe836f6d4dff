import type { PromoteAnswer, PromoteInput } from '@packs/contracts';
import { parseChannel } from '@packs/domain';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

interface PromoteOptions extends OutputOptions {
  readonly channel: string;
  readonly from?: string;
}

export function promoteCommand(context: CliContext): Command {
  return withOutput(new Command('promote').description("Points a channel at a published version, if the channel's policy accepts it"))
    .argument('<packId@version>')
    .requiredOption('--channel <channel>', 'the channel to point at it')
    .option('--from <channel>', 'only if this channel points at it now')
    .action(async (text: string, options: PromoteOptions) => {
      const { packId, version } = parseVersionReference(text);
      const channel = parseChannel(options.channel);
      const input: PromoteInput = { version, channel, from: options.from === undefined ? undefined : parseChannel(options.from) };
      const registry = await RegistryClient.open(context);
      const answer = await registry.post<PromoteAnswer>(`${packPath(packId)}/promote`, input);
      const { changed, previousVersion, digest, verdict, promotedAt } = answer;
      printFields(context.stdout, options, answer, {
        [changed ? 'promoted' : 'unchanged']: `${packId}@${version}`,
        channel,
        before: changed ? previousVersion : null,
        digest,
        verdict,
        at: promotedAt,
      });
    });
}
