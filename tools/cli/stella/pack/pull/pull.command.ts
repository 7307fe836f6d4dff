import { SIGNATURE_SCHEMES, parseDigest, type SignatureScheme } from '@packs/domain';
import { Command, Option } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { collect } from '../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { bundleFileName } from '../pack-files';
import { readKeys } from '../verify/read-keys';
import { isArtifactReference, pullArtifact } from './pull-artifact';
import { pullVersion } from './pull-version';

interface PullOptions extends OutputOptions {
  readonly out?: string;
  readonly key: readonly string[];
  readonly scheme?: SignatureScheme;
  readonly digest?: string;
  readonly namespace?: string;
  readonly plainHttp?: true;
  readonly progress?: true;
}

export function pullCommand(context: CliContext): Command {
  return withOutput(
    new Command('pull').description('Fetches a bundle and its signatures, checking every byte; goes on where it was interrupted'),
  )
    .argument('<packId@version>', 'or oci://<host>/<repository>, and :<tag> or @<digest>: from any OCI registry, as docker login says')
    .option('-o, --out <file>', 'where to write it; absent: <packId>-<version>.tgz')
    .option('--key <file>', 'accept it only with a signature by this public key (PEM); may be repeated', collect, [])
    .addOption(new Option('--scheme <scheme>', 'of the keys; absent: the usual one of their type').choices(SIGNATURE_SCHEMES))
    .option('--digest <digest>', 'accept it only with this digest')
    .option('--namespace <tenant>', "another tenant's pack that is visible")
    .option('--plain-http', 'of oci://: without TLS')
    .option('--progress', 'show progress although stderr is not a terminal')
    .action(async (text: string, options: PullOptions) => {
      const digest = options.digest === undefined ? undefined : parseDigest(options.digest, '--digest');
      if (isArtifactReference(text)) {
        const { out, plainHttp, progress } = options;
        const keys = await readKeys(options.key, options.scheme);
        const artifact = await pullArtifact(context, { reference: text, out, keys, digest, plainHttp, progress });
        return printFields(context.stdout, options, artifact, { ...artifact });
      }
      const reference = parseVersionReference(text);
      const registry = await RegistryClient.open(context);
      const file = options.out ?? bundleFileName(reference);
      const target = { file, keys: await readKeys(options.key, options.scheme), progress: options.progress };
      const pulled = await pullVersion(context, registry, { ...reference, namespace: options.namespace, digest }, target);
      printFields(context.stdout, options, pulled, { ...pulled });
    });
}
