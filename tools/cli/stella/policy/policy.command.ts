import type { PolicyInput, PolicyList, PolicyView } from '@packs/contracts';
import { PACK_TYPES, UNSIGNED_ANSWERS, keysOf, type PackType } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { collect } from '../../terminal/option-values';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface SetOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly channel?: string;
  readonly type?: PackType;
  readonly unsigned: PolicyInput['unsigned'];
}

const POLICIES = '/api/policies';

export function policyCommand(context: CliContext): Command {
  const policy = new Command('policy').description('Who must have signed what is published');
  withOutput(policy.command('list').description('Lists the signing policies')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    const answer = await registry.get<PolicyList>(POLICIES);
    print(context, options, answer, answer.policies);
  });
  withOutput(policy.command('set').description('Makes or changes a signing policy'))
    .argument('<name>')
    .requiredOption('--key <name>', 'a trusted key whose signature satisfies it; may be repeated', collect)
    .option('--channel <channel>', 'absent: every channel')
    .addOption(new Option('--type <type>', 'absent: every type').choices(PACK_TYPES))
    .addOption(
      new Option('--unsigned <answer>', 'to a publish whose signatures do not satisfy it').choices(UNSIGNED_ANSWERS).default('pending'),
    )
    .action(async (name: string, options: SetOptions) => {
      const registry = await RegistryClient.open(context);
      const answer = await registry.put<PolicyView>(`${POLICIES}/${encodeURIComponent(name)}`, inputOf(options));
      print(context, options, answer, [answer]);
    });
  return policy;
}

function inputOf({ key, channel, type: packType, unsigned }: SetOptions): PolicyInput {
  const rules = key.map(keyRef => ({ keyRef }));
  const [only] = rules;
  return { channel, packType, rule: only && rules.length === 1 ? only : { anyOf: rules }, unsigned };
}

function print(context: CliContext, options: OutputOptions, answer: unknown, policies: readonly PolicyView[]): void {
  printRows(context.stdout, options, answer, policies, [
    ['NAME', policy => policy.name],
    ['VERSION', policy => policy.version],
    ['CHANNEL', policy => policy.channel ?? '(every)'],
    ['TYPE', policy => policy.packType ?? '(every)'],
    ['UNSIGNED', policy => policy.unsigned],
    ['KEYS', policy => keysOf(policy.rule).join(', ')],
  ]);
}
