import { readFile } from 'node:fs/promises';
import type { AttestationView, VersionView, WaitingAttestationView } from '@packs/contracts';
import { DomainError, MEDIA_TYPES, parseDigest, SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import { Command, Option } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { bundleFileName, measure, readBundle } from '../pack-files';
import { encodeStatement, signStatement } from '../sign/sign-statement';
import { signingKeyFromPem } from '../sign/signing-key';

interface AttestOptions extends OutputOptions {
  readonly predicate: string;
  readonly type: string;
  readonly key: string;
  readonly scheme?: SignatureScheme;
  readonly provisional?: true;
  readonly bundle?: string;
}

export function attestCommand(context: CliContext): Command {
  return withOutput(new Command('attest').description('States something about a version, signs it and adds it in the registry'))
    .argument('<packId@version>')
    .requiredOption('--predicate <file>', 'what is stated, a JSON object')
    .requiredOption('--type <uri>', 'the type of the predicate, such as https://slsa.dev/provenance/v1')
    .requiredOption('--key <file>', 'the private key, PKCS#8 PEM')
    .option('--bundle <file>', 'the bundle that it is about, where the version still waits and nobody can read it')
    .addOption(new Option('--scheme <scheme>', "absent: the usual one of the key's type").choices(SIGNATURE_SCHEMES))
    .option('--provisional', 'keep it although nobody trusts the key yet')
    .action((reference: string, options: AttestOptions) => attest(context, reference, options));
}

async function attest(context: CliContext, reference: string, options: AttestOptions): Promise<void> {
  const { packId, version } = parseVersionReference(reference);
  const key = signingKeyFromPem(await readFile(options.key, 'utf8'), options.scheme);
  const predicate = parsePredicate(await readFile(options.predicate, 'utf8'));
  const registry = await RegistryClient.open(context);
  const name = bundleFileName({ packId, version });
  const subjects =
    options.bundle === undefined
      ? await publishedSubjects(registry, packId, version)
      : [{ name, digest: (await measure(readBundle(options.bundle))).digest }];
  const view = await registry.json<AttestationView | WaitingAttestationView>(
    'POST',
    `${packPath(packId, version)}/attestations`,
    { provisional: options.provisional },
    {
      body: signStatement(encodeStatement(subjects, options.type, predicate), key),
      headers: { 'content-type': MEDIA_TYPES.sigstoreBundle },
    },
  );
  const { predicateType, manifestDigest: referrer } = view;
  const since = 'addedAt' in view ? { state: view.state, addedAt: view.addedAt } : { state: 'waits with its version' };
  printFields(context.stdout, options, view, { attestation: view.digest, type: predicateType, referrer, ...since });
}

/** Both, so that those who hold the bundle and those who hold the OCI artifact can check it. */
async function publishedSubjects(registry: RegistryClient, packId: string, version: string) {
  const { digest, manifestDigest } = await registry.get<VersionView>(packPath(packId, version));
  return [
    { name: bundleFileName({ packId, version }), digest: parseDigest(digest) },
    { name: `${packId}@${version}`, digest: parseDigest(manifestDigest, 'manifestDigest') },
  ];
}

function parsePredicate(text: string): object {
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new DomainError('ERR_PACK_ATTESTATION_INVALID', 'the predicate is not a JSON object');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('ERR_PACK_ATTESTATION_INVALID', 'the predicate is not JSON', { cause });
  }
}
