import type { PolicyInput, PolicyList, PolicyView } from '@packs/contracts';
import { PACK_TYPES, UNSIGNED_ANSWERS, DomainError, signersOf, type PackType, type PolicyRule } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { collect } from '../../terminal/option-values';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, printRows, withOutput, type OutputOptions } from '../../terminal/output';
import { readPolicyFile } from './read-policy-file';

interface SetOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly certificateIdentity: readonly string[];
  readonly certificateOidcIssuer?: string;
  readonly channel?: string;
  readonly type?: PackType;
  readonly unsigned?: PolicyInput['unsigned'];
  readonly file?: string;
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
    .option('--file <policy>', 'all of it, as YAML or JSON: rule, and channel, packType, unsigned, require')
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
      new Option('--unsigned <answer>', 'to a publish whose signatures do not satisfy it; absent: pending').choices(UNSIGNED_ANSWERS),
    )
    .action(async (name: string, options: SetOptions) => {
      const registry = await RegistryClient.open(context);
      const input = options.file === undefined ? inputOf(options) : await fromFile(options.file, name, options);
      const answer = await registry.put<PolicyView>(`${POLICIES}/${encodeURIComponent(name)}`, input);
      print(context, options, answer, [answer]);
    });
  withOutput(policy.command('show').description('Shows a signing policy whole'))
    .argument('<name>')
    .action(async (name: string, options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const { policies } = await registry.get<PolicyList>(POLICIES);
      const found = policies.find(one => one.name === name);
      if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `there is no policy ${name}`);
      const { version, channel = '(every)', packType = '(every)', unsigned, rule, require } = found;
      printFields(context.stdout, options, found, { name, version, channel, type: packType, unsigned, rule, require });
    });
  return policy;
}

/** A file says everything, so that nothing that is given beside it is silently left out. */
async function fromFile(file: string, name: string, options: SetOptions): Promise<PolicyInput> {
  const { key, certificateIdentity, certificateOidcIssuer, channel, type, unsigned } = options;
  if (key.length + certificateIdentity.length > 0 || [certificateOidcIssuer, channel, type, unsigned].some(one => one !== undefined)) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', '--file says all of a policy: give no other option beside it');
  }
  return readPolicyFile(file, name);
}

function inputOf({ channel, type: packType, unsigned = 'pending', ...signers }: SetOptions): PolicyInput {
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
    throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --key, --certificate-identity with --certificate-oidc-issuer, or --file');
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
