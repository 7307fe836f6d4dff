import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DomainError, SIGNATURE_SCHEMES, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { Command, Option } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { collect } from '../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { measure, readBundle, readSignatures } from '../pack-files';
import { pullVersion } from '../pull/pull-version';
import { checkBundle, type CheckedBundle } from './check-bundle';
import { explainVerdict } from './explain-verdict';
import { readKeys } from './read-keys';

interface VerifyOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly scheme?: SignatureScheme;
  readonly signature: readonly string[];
  readonly namespace?: string;
  readonly explain?: boolean;
}

export function verifyCommand(context: CliContext): Command {
  return withOutput(new Command('verify').description('Checks the bytes, the manifest and the signature of a bundle on this machine'))
    .argument('<file or packId@version>', 'a bundle, or a version whose bytes are fetched for the check')
    .option('--key <file>', 'a public key (PEM) one of which must have signed; may be repeated', collect, [])
    .addOption(new Option('--scheme <scheme>', 'of the keys; absent: the usual one of their type').choices(SIGNATURE_SCHEMES))
    .option('--signature <file>', 'a signature of the file, may be repeated; absent: <file>.sigstore.json', collect, [])
    .option('--namespace <tenant>', "another tenant's pack that is visible")
    .option('--explain', 'what the registry concluded about a version, check by check; with --key after the bytes were checked')
    .action(async (target: string, options: VerifyOptions) => {
      if (options.explain && (await isFile(target))) {
        throw new DomainError('ERR_PACK_REQUEST_INVALID', 'a registry explains versions: give packId@version');
      }
      if (options.key.length > 0) await check(context, target, options);
      else if (!options.explain) throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --key, or --explain for a version');
      if (!options.explain) return;
      const { namespace } = options;
      await explainVerdict(context, await RegistryClient.open(context), { ...parseVersionReference(target), namespace }, options);
    });
}

async function check(context: CliContext, target: string, options: VerifyOptions): Promise<void> {
  const keys = await readKeys(options.key, options.scheme);
  const checked = (await isFile(target))
    ? await verifyFile(target, options.signature, keys)
    : await verifyRemote(context, target, options.namespace, keys);
  if (options.explain && options.output === 'json') return;
  const { packId, version, digest, size, files, signedBy } = checked;
  printFields(
    context.stdout,
    options,
    { verified: true, ...checked },
    {
      verified: `${packId}@${version}`,
      digest,
      size,
      files,
      'signed by': signedBy && `${signedBy.name} (${signedBy.scheme} ${signedBy.keyId})`,
    },
  );
}

async function isFile(target: string): Promise<boolean> {
  const known = await stat(target).catch(() => undefined);
  return known?.isFile() ?? !target.includes('@');
}

async function verifyFile(file: string, signatureFiles: readonly string[], keys: readonly TrustedKey[]): Promise<CheckedBundle> {
  const { digest, size } = await measure(readBundle(file));
  return checkBundle({ file, digest, size, signatures: await readSignatures(file, signatureFiles), keys });
}

async function verifyRemote(
  context: CliContext,
  text: string,
  namespace: string | undefined,
  keys: readonly TrustedKey[],
): Promise<CheckedBundle> {
  const reference = parseVersionReference(text);
  const registry = await RegistryClient.open(context);
  const scratch = await mkdtemp(path.join(tmpdir(), 'stella-verify-'));
  try {
    return await pullVersion(context, registry, { ...reference, namespace }, { file: path.join(scratch, 'bundle.tgz'), keys });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
