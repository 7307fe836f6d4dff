import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { PublishAnswer } from '@packs/contracts';
import { DEFAULT_CHANNEL, DomainError, parseChannel, parsePackId } from '@packs/domain';
import { walkBundle } from '@packs/pack-format';
import { parseArtifactReference } from '@packs/registry-client';
import { Command } from 'commander';
import { packPath, RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { collect } from '../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { Progress } from '../../../terminal/progress';
import { measure, readBundle, readSignatures } from '../pack-files';
import { publishBundle, type Publication } from './publish-bundle';

interface PushOptions extends OutputOptions {
  readonly signature: readonly string[];
  readonly channel: string;
  readonly reference?: string;
  readonly insecurePublish?: true;
  readonly idempotencyKey?: string;
  readonly progress?: true;
}

export function pushCommand(context: CliContext): Command {
  return withOutput(new Command('push').description('Publishes a bundle'))
    .argument('[file]', 'the bundle')
    .option('--reference <reference>', 'in its place: a pack in another registry, <host>/<repository>, and :<tag> or @<digest>')
    .option('--signature <file>', 'a signature of it, may be repeated; absent: <file>.sigstore.json', collect, [])
    .option('--channel <channel>', 'the channel to publish to', DEFAULT_CHANNEL)
    .option('--insecure-publish', 'publish without a signature; the registry may refuse it')
    .option('--idempotency-key <key>', 'for a push that is repeated with the same answer; absent: a new one')
    .option('--progress', 'show progress although stderr is not a terminal')
    .action((file: string | undefined, options: PushOptions) => {
      const { reference } = options;
      if (file !== undefined && reference === undefined) return push(context, file, options);
      if (file === undefined && reference !== undefined) return pushReference(context, reference, options);
      throw new DomainError('ERR_PACK_REQUEST_INVALID', 'name either the file of a bundle or a --reference');
    });
}

/** The registry fetches the pack, with the signatures that lie beside it there. */
async function pushReference(context: CliContext, reference: string, options: PushOptions): Promise<void> {
  if (options.signature.length > 0)
    throw new DomainError('ERR_PACK_REQUEST_INVALID', '--signature goes with a file: those of a reference lie beside it');
  const channel = parseChannel(options.channel);
  const { repository } = parseArtifactReference(reference);
  const packId = parsePackId(repository.slice(repository.lastIndexOf('/') + 1));
  const registry = await RegistryClient.open(context);
  const answer = await registry.json<PublishAnswer>(
    'POST',
    `${packPath(packId)}/versions`,
    { channel },
    {
      body: JSON.stringify({ reference }),
      headers: { 'content-type': 'application/json', 'idempotency-key': options.idempotencyKey ?? randomUUID() },
    },
  );
  printFields(context.stdout, options, answer, { ...answer });
}

async function push(context: CliContext, file: string, options: PushOptions): Promise<void> {
  const channel = parseChannel(options.channel);
  const { size } = await stat(file);
  const signatures = await readSignatures(file, options.signature);
  if (signatures.length === 0 && !options.insecurePublish) {
    throw new DomainError('ERR_PACK_SIGNATURE_MISSING', `${file} is not signed; sign it with stella pack sign, or give --insecure-publish`);
  }
  // The same walk as the verifier's: a bundle it would refuse need not travel.
  const { manifest } = await walkBundle(readBundle(file), { size });
  const { digest } = await measure(readBundle(file));
  const { packId, version } = manifest.metadata;
  const idempotencyKey = options.idempotencyKey ?? randomUUID();
  const registry = await RegistryClient.open(context);
  const progress = Progress.of(context, `pushing ${packId}@${version}`, { total: size, wanted: options.progress });
  const publication: Publication = { packId, channel, digest, idempotencyKey, signatures, bundle: () => progress.count(readBundle(file)) };
  const answer = await publishBundle(registry, publication);
  printFields(context.stdout, options, answer, { ...answer });
}
