import type { PolicyInput, PolicyList, PolicyView } from '@packs/contracts';
import { PACK_TYPES, UNSIGNED_ANSWERS, DomainError, signersOf, type PackType, type PolicyRule } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { collect } from '../../terminal/option-values';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';
import { historyCommand } from './history.command';
import { whatIfCommand } from './what-if.command';

interface SetOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly certificateIdentity: readonly string[];
  readonly certificateOidcIssuer?: string;
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
    .option('--key <name>', 'a trusted key whose signature satisfies it; may be repeated', collect, [])
    .option(
      '--certificate-identity <identity>',
      'an exact mail address or URI in a certificate that satisfies it; may be repeated',
      collect,
      [],
    )
    .option('--certificate-oidc-issuer <url>', 'the exact issuer that has to have vouched for it')
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
  policy.addCommand(historyCommand(context));
  policy.addCommand(whatIfCommand(context));
  return policy;
}

function inputOf({ channel, type: packType, unsigned, ...signers }: SetOptions): PolicyInput {
  const rules = rulesOf(signers);
  const [only] = rules;
  return { channel, packType, rule: only && rules.length === 1 ? only : { anyOf: rules }, unsigned };
}

function rulesOf({
  key,
  certificateIdentity,
  certificateOidcIssuer: issuer,
}: Pick<SetOptions, 'key' | 'certificateIdentity' | 'certificateOidcIssuer'>): PolicyRule[] {
  const keys = key.map(keyRef => ({ keyRef }));
  if (certificateIdentity.length + keys.length === 0) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --key, or --certificate-identity with --certificate-oidc-issuer');
  }
  if (issuer === undefined && certificateIdentity.length === 0) return keys;
  if (issuer === undefined || certificateIdentity.length === 0) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', 'an identity is that of an issuer: give both');
  }
  return [...keys, ...certificateIdentity.map(identity => ({ oidcIssuer: { issuer, identity } }))];
}

function print(context: CliContext, options: OutputOptions, answer: unknown, policies: readonly PolicyView[]): void {
  printRows(context.stdout, options, answer, policies, [
    ['NAME', policy => policy.name],
    ['VERSION', policy => policy.version],
    ['CHANNEL', policy => policy.channel ?? '(every)'],
    ['TYPE', policy => policy.packType ?? '(every)'],
    ['UNSIGNED', policy => policy.unsigned],
    ['SIGNERS', policy => signersOf(policy.rule).join(', ')],
  ]);
}
