import { readFile } from 'node:fs/promises';
import type { TrustAnswer } from '@packs/contracts';
import { DomainError, SIGNATURE_SCHEMES, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { parseTrustedRoot, trustedKeyFromPem } from '@packs/sigstore';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';
import { changeTrust, TRUST_ROUTE, withoutId } from './change-trust';
import { revocationCommands } from './revoke.command';

interface AddOptions extends OutputOptions {
  readonly name: string;
  readonly key: string;
  readonly scheme?: SignatureScheme;
  readonly notBefore?: string;
  readonly notAfter?: string;
}

type Edit = (keys: readonly TrustedKey[]) => readonly TrustedKey[];

/** A list of keys that a tenant keeps, and the route it is read and replaced at. */
interface KeyList {
  readonly name: string;
  readonly description: string;
  readonly route: string;
  readonly change: (registry: RegistryClient, edit: Edit) => Promise<TrustAnswer>;
}

export function trustCommand(context: CliContext): Command {
  const trust = new Command('trust').description('Whose signatures the tenant accepts');
  const list = { route: TRUST_ROUTE, change: changeTrustedKeys };
  addKeyCommands(context, trust, list, command =>
    command
      .option('--not-before <time>', 'what it signs counts from then on (RFC 3339)')
      .option('--not-after <time>', 'what it signs counts until then'),
  );
  withOutput(trust.command('set-roots').description('Replaces the sigstore trusted roots that vouch for signers with certificates'))
    .argument('[files...]', 'trusted_root.json files; none: no signature with a certificate is accepted')
    .action(async (files: readonly string[], options: OutputOptions) => {
      const trustedRoots = await Promise.all(files.map(readRoot));
      const registry = await RegistryClient.open(context);
      print(context, options, await changeTrust(registry, ({ keys, revoked }) => ({ keys, revoked, trustedRoots })));
    });
  for (const command of revocationCommands(context, (options, answer) => print(context, options, answer))) trust.addCommand(command);
  return trust;
}

async function changeTrustedKeys(registry: RegistryClient, edit: Edit): Promise<TrustAnswer> {
  return changeTrust(registry, trust => ({ ...trust, keys: edit(trust.keys) }));
}

async function readRoot(file: string): Promise<unknown> {
  const content = await readFile(file);
  parseTrustedRoot(content);
  return JSON.parse(content.toString());
}

/** Of keys that are trusted for one thing alone, without times and revocations. */
export function keyListCommand(context: CliContext, { name, description, route }: Omit<KeyList, 'change'>): Command {
  const change = async (registry: RegistryClient, edit: Edit): Promise<TrustAnswer> => {
    const { keys } = await registry.get<TrustAnswer>(route);
    return registry.put<TrustAnswer>(route, { keys: edit(keys).map(withoutId) });
  };
  const command = new Command(name).description(description);
  addKeyCommands(context, command, { route, change });
  return command;
}

function addKeyCommands(
  context: CliContext,
  parent: Command,
  { route, change }: Pick<KeyList, 'route' | 'change'>,
  withOptions: (command: Command) => Command = command => command,
): void {
  withOutput(parent.command('show').description('Lists the keys')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    print(context, options, await registry.get<TrustAnswer>(route));
  });
  withOptions(withOutput(parent.command('add').description('Adds a key, or replaces the one of the same name')))
    .requiredOption('--name <name>', 'the name policies refer to it by')
    .requiredOption('--key <file>', 'its public key, PEM')
    .addOption(new Option('--scheme <scheme>', "absent: the usual one of the key's type").choices(SIGNATURE_SCHEMES))
    .action(async ({ name, key: file, scheme, notBefore, notAfter, ...options }: AddOptions) => {
      const key = trustedKeyFromPem(name, await readFile(file, 'utf8'), scheme, { notBefore, notAfter });
      const registry = await RegistryClient.open(context);
      print(context, options, await change(registry, keys => [...keys.filter(other => other.name !== key.name), key]));
    });
  withOutput(parent.command('remove').description('Removes a key'))
    .requiredOption('--name <name>', 'its name')
    .action(async (options: OutputOptions & { readonly name: string }) => {
      const registry = await RegistryClient.open(context);
      const edit: Edit = keys => {
        const kept = keys.filter(({ name }) => name !== options.name);
        if (kept.length === keys.length) throw new DomainError('ERR_PACK_NOT_FOUND', `no key is named ${options.name}`);
        return kept;
      };
      print(context, options, await change(registry, edit));
    });
}

interface Row {
  readonly what: string;
  readonly id: string;
  readonly note: string;
}

function print(context: CliContext, options: OutputOptions, answer: TrustAnswer): void {
  printRows(context.stdout, options, answer, answer.keys, [
    ['NAME', key => key.name],
    ['SCHEME', key => key.scheme],
    ['KEY ID', key => key.keyId],
    ['COUNTS', ({ notBefore, notAfter }) => ((notBefore ?? notAfter) ? `${notBefore ?? ''} – ${notAfter ?? ''}` : '')],
  ]);
  const rows = revokedRows(answer);
  if (options.output === 'json' || rows.length === 0) return;
  context.stdout.write('\n');
  printRows(context.stdout, options, answer, rows, [
    ['REVOKED', row => row.what],
    ['', row => row.id],
    ['REASON', row => row.note],
  ]);
}

function revokedRows({ revoked }: TrustAnswer): Row[] {
  const note = ({ since, reason }: { readonly since?: string; readonly reason: string }) => (since ? `since ${since}: ${reason}` : reason);
  return [
    ...(revoked?.keys ?? []).map(entry => ({ what: 'key', id: entry.keyId, note: note(entry) })),
    ...(revoked?.identities ?? []).map(entry => ({ what: 'identity', id: `${entry.identity} (${entry.issuer})`, note: note(entry) })),
    ...(revoked?.digests ?? []).map(entry => ({ what: 'digest', id: entry.digest, note: entry.reason })),
  ];
}
