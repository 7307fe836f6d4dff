import type { PolicyVersionView } from '@packs/contracts';
import { signersOf } from '@packs/domain';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { wholeNumber } from '../../terminal/option-values';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

export function historyCommand(context: CliContext): Command {
  return withOutput(new Command('history').description('Lists every version of a signing policy, newest first'))
    .argument('<name>')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 50)
    .action(async (name: string, { limit, ...options }: OutputOptions & { readonly limit: number }) => {
      const registry = await RegistryClient.open(context);
      const path = `/api/policies/${encodeURIComponent(name)}/versions`;
      const versions = await registry.list<PolicyVersionView>(path, 'versions', {}, limit);
      printRows(context.stdout, options, { versions }, versions, [
        ['VERSION', policy => policy.version],
        ['ACTIVE', policy => (policy.active ? 'yes' : 'no')],
        ['SINCE', policy => policy.createdAt],
        ['UNTIL', policy => policy.supersededAt],
        ['BY', policy => policy.createdBy],
        ['CHANNEL', policy => policy.channel ?? '(every)'],
        ['TYPE', policy => policy.packType ?? '(every)'],
        ['UNSIGNED', policy => policy.unsigned],
        ['SIGNERS', policy => signersOf(policy.rule).join(', ')],
        ['DIGEST', policy => policy.digest],
      ]);
    });
}
