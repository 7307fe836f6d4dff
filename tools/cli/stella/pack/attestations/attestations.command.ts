import { writeFile } from 'node:fs/promises';
import type { AttestationList, AttestationView } from '@packs/contracts';
import { ATTESTATION_STATES, DomainError, parseDigest, sha256, type Digest } from '@packs/domain';
import { Command, Option } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, printRows, withOutput, type OutputOptions } from '../../../terminal/output';

interface AttestationsOptions extends OutputOptions {
  readonly namespace?: string;
  readonly state?: string;
  readonly save?: string;
  readonly out?: string;
}

export function attestationsCommand(context: CliContext): Command {
  return withOutput(new Command('attestations').description('Lists what is attested about a version, or saves one of the documents'))
    .argument('<packId@version>')
    .option('--namespace <tenant>', "another tenant's pack that is visible")
    .addOption(new Option('--state <state>', 'absent: verified').choices([...ATTESTATION_STATES, 'all']))
    .option('--save <digest>', 'save the document of this digest')
    .option('-o, --out <file>', 'where to save it; absent: <digest in hex>.intoto.json')
    .action(async (reference: string, options: AttestationsOptions) => {
      const { packId, version } = parseVersionReference(reference);
      const path = `${packPath(packId, version)}/attestations`;
      const registry = await RegistryClient.open(context);
      if (options.save !== undefined) return save(context, registry, path, parseDigest(options.save), options);
      const list = await registry.get<AttestationList>(path, { namespace: options.namespace, state: options.state });
      printRows(context.stdout, options, list, list.attestations, [
        ['TYPE', row => row.predicateType],
        ['SIGNED BY', row => row.signers.map(({ name }) => name).join(' ')],
        ['ADDED', row => row.addedAt],
        ['SIZE', row => row.size],
        ['DIGEST', row => row.digest],
        ...(options.state === undefined ? [] : [['STATE', (row: AttestationView) => row.state] as const]),
      ]);
    });
}

async function save(
  context: CliContext,
  registry: RegistryClient,
  path: string,
  digest: Digest,
  options: AttestationsOptions,
): Promise<void> {
  const response = await registry.request('GET', `${path}/${digest}`, { namespace: options.namespace });
  const content = Buffer.from(await response.arrayBuffer());
  if (sha256(content) !== digest) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `the document received is not ${digest}`);
  const file = options.out ?? `${digest.slice('sha256:'.length)}.intoto.json`;
  await writeFile(file, content);
  printFields(context.stdout, options, { file, digest, size: content.length }, { file, digest });
}
