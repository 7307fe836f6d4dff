import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { DEFAULT_CHANNEL, DomainError, parseChannel } from '@packs/domain';
import { walkBundle } from '@packs/pack-format';
import { Command } from 'commander';
import { RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { collect } from '../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { Progress } from '../../../terminal/progress';
import { measure, readBundle, readSignatures } from '../pack-files';
import { publishBundle, type Publication } from './publish-bundle';

interface PushOptions extends OutputOptions {
  readonly signature: readonly string[];
  readonly channel: string;
  readonly insecurePublish?: true;
  readonly idempotencyKey?: string;
  readonly progress?: true;
}

export function pushCommand(context: CliContext): Command {
  return withOutput(new Command('push').description('Publishes a bundle'))
    .argument('<file>', 'the bundle')
    .option('--signature <file>', 'a signature of it, may be repeated; absent: <file>.sigstore.json', collect, [])
    .option('--channel <channel>', 'the channel to publish to', DEFAULT_CHANNEL)
    .option('--insecure-publish', 'publish without a signature; the registry may refuse it')
    .option('--idempotency-key <key>', 'for a push that is repeated with the same answer; absent: a new one')
    .option('--progress', 'show progress although stderr is not a terminal')
    .action((file: string, options: PushOptions) => push(context, file, options));
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
