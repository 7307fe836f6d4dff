import { readFile } from 'node:fs/promises';
import type { TrustAnswer } from '@packs/contracts';
import { DomainError, SIGNATURE_SCHEMES, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { parseTrustedRoot, trustedKeyFromPem } from '@packs/sigstore';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface AddOptions extends OutputOptions {
  readonly name: string;
  readonly key: string;
  readonly scheme?: SignatureScheme;
}

/** A list of keys that a tenant keeps, and the route it is read and replaced at. */
interface KeyList {
  readonly name: string;
  readonly description: string;
  readonly route: string;
}

export function trustCommand(context: CliContext): Command {
  const route = '/api/trust';
  const trust = keyListCommand(context, { name: 'trust', description: 'Whose signatures the tenant accepts', route });
  withOutput(trust.command('set-roots').description('Replaces the sigstore trusted roots that vouch for signers with certificates'))
    .argument('[files...]', 'trusted_root.json files; none: no signature with a certificate is accepted')
    .action(async (files: readonly string[], options: OutputOptions) => {
      const trustedRoots = await Promise.all(files.map(readRoot));
      const registry = await RegistryClient.open(context);
      const { keys } = await registry.get<TrustAnswer>(route);
      print(context, options, await registry.put<TrustAnswer>(route, { keys: keys.map(stored), trustedRoots }));
    });
  return trust;
}

async function readRoot(file: string): Promise<unknown> {
  const content = await readFile(file);
  parseTrustedRoot(content);
  return JSON.parse(content.toString());
}

function stored({ name, publicKey, scheme }: TrustedKey): TrustedKey {
  return { name, publicKey, scheme };
}

export function keyListCommand(context: CliContext, { name, description, route }: KeyList): Command {
  const trust = new Command(name).description(description);
  withOutput(trust.command('show').description('Lists the keys')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    print(context, options, await registry.get<TrustAnswer>(route));
  });
  withOutput(trust.command('add').description('Adds a key, or replaces the one of the same name'))
    .requiredOption('--name <name>', 'the name policies refer to it by')
    .requiredOption('--key <file>', 'its public key, PEM')
    .addOption(new Option('--scheme <scheme>', "absent: the usual one of the key's type").choices(SIGNATURE_SCHEMES))
    .action(async (options: AddOptions) => {
      const key = trustedKeyFromPem(options.name, await readFile(options.key, 'utf8'), options.scheme);
      await change(context, route, options, keys => [...keys.filter(({ name }) => name !== key.name), key]);
    });
  withOutput(trust.command('remove').description('Removes a key'))
    .requiredOption('--name <name>', 'its name')
    .action(async (options: OutputOptions & { readonly name: string }) => {
      await change(context, route, options, keys => {
        const kept = keys.filter(({ name }) => name !== options.name);
        if (kept.length === keys.length) throw new DomainError('ERR_PACK_NOT_FOUND', `no key is named ${options.name}`);
        return kept;
      });
    });
  return trust;
}

async function change(
  context: CliContext,
  route: string,
  options: OutputOptions,
  edit: (keys: readonly TrustedKey[]) => readonly TrustedKey[],
): Promise<void> {
  const registry = await RegistryClient.open(context);
  const { keys, trustedRoots = [] } = await registry.get<TrustAnswer>(route);
  const roots = trustedRoots.length > 0 ? { trustedRoots } : {};
  print(context, options, await registry.put<TrustAnswer>(route, { keys: edit(keys).map(stored), ...roots }));
}

function print(context: CliContext, options: OutputOptions, answer: TrustAnswer): void {
  printRows(context.stdout, options, answer, answer.keys, [
    ['NAME', key => key.name],
    ['SCHEME', key => key.scheme],
    ['KEY ID', key => key.keyId],
  ]);
}
