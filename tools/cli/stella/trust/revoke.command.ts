import type { TrustAnswer } from '@packs/contracts';
import { DomainError, isDigest, type Digest, type Revocations } from '@packs/domain';
import { keyIdOf } from '@packs/sigstore';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { withOutput, type OutputOptions } from '../../terminal/output';
import { changeTrust, type TrustToBe } from './change-trust';

interface Target {
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly digest?: string;
}

type Print = (options: OutputOptions, answer: TrustAnswer) => void;

/** `revoke` and `unrevoke`. */
export function revocationCommands(context: CliContext, print: Print): Command[] {
  const revoke = target(
    new Command('revoke').description('Takes trust from a key, an identity or a digest; readers lose at once what leans on it'),
  )
    .requiredOption('--reason <text>', 'why, for people')
    .option('--since <time>', 'of a key or identity: what a log or clock proves to be signed before counts on')
    .action(async ({ reason, since, ...options }: Target & OutputOptions & { readonly reason: string; readonly since?: string }) => {
      if (since !== undefined && options.digest !== undefined)
        throw invalid('--since', 'a digest is revoked as a whole, and never from some time on');
      const note = since === undefined ? { reason } : { since, reason };
      const registry = await RegistryClient.open(context);
      print(
        options,
        await changeTrust(registry, trust => withRevocations(trust, entry => [...entry.others, { ...entry.named, ...note }], options)),
      );
    });
  const unrevoke = target(new Command('unrevoke').description('Takes a revocation back')).action(
    async (options: Target & OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const edit = (entry: Entry): readonly object[] => {
        if (entry.others.length === entry.count) throw new DomainError('ERR_PACK_NOT_FOUND', 'this is not revoked');
        return entry.others;
      };
      print(options, await changeTrust(registry, trust => withRevocations(trust, edit, options)));
    },
  );
  return [revoke, unrevoke];
}

function target(command: Command): Command {
  return withOutput(command)
    .option('--key <name or id>', 'a trusted key by its name, or any key or certificate authority by its id')
    .option('--identity <identity>', 'the mail address or URI in certificates; with --issuer')
    .option('--issuer <url>', 'who vouches for the identity')
    .option('--digest <digest>', 'of a bundle, of an OCI manifest, or of a signature or attestation document');
}

interface Entry {
  /** What names the target. */
  readonly named: object;
  readonly others: readonly object[];
  readonly count: number;
}

function withRevocations(trust: TrustToBe, edit: (entry: Entry) => readonly object[], asked: Target): TrustToBe {
  const { list, named } = nameOf(trust, asked);
  const entries: readonly object[] = trust.revoked?.[list] ?? [];
  const others = entries.filter(entry => Object.entries(named).some(([name, value]) => Reflect.get(entry, name) !== value));
  const revoked = { ...trust.revoked, [list]: edit({ named, others, count: entries.length }) };
  return { ...trust, revoked };
}

function nameOf(
  { keys }: TrustToBe,
  { key, identity, issuer, digest }: Target,
): { readonly list: keyof Revocations; readonly named: object } {
  const given = [key, identity ?? issuer, digest].filter(value => value !== undefined);
  if (given.length !== 1) throw invalid('--key', 'give one of --key, --identity with --issuer, and --digest');
  if (digest !== undefined) return { list: 'digests', named: { digest: digestOf(digest, '--digest') } };
  if (key !== undefined) return { list: 'keys', named: { keyId: keyIdNamed(keys, key) } };
  if (identity === undefined || issuer === undefined) throw invalid('--identity', 'an identity is named by --identity and --issuer');
  return { list: 'identities', named: { issuer, identity } };
}

function keyIdNamed(keys: TrustToBe['keys'], key: string): Digest {
  const named = keys.find(({ name }) => name === key);
  return named ? keyIdOf(named) : digestOf(key, '--key');
}

function digestOf(text: string, field: string): Digest {
  if (isDigest(text)) return text;
  throw invalid(field, `${field} is not sha256:<64 hex digits>, nor the name of a trusted key`);
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', message, { errors: [{ field, message }] });
}
