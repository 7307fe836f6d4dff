import { readFile, writeFile } from 'node:fs/promises';
import { MEDIA_TYPES, SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import { Command, Option } from 'commander';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';
import { readBundle, signatureFileOf } from '../pack-files';
import { signBundle } from './sign-bundle';
import { signingKeyFromPem } from './signing-key';

interface SignOptions extends OutputOptions {
  readonly key: string;
  readonly scheme?: SignatureScheme;
  readonly out?: string;
}

export function signCommand(context: CliContext): Command {
  return withOutput(new Command('sign').description('Signs a bundle; cosign verify-blob understands the result'))
    .argument('<file>', 'the bundle')
    .requiredOption('--key <file>', 'the private key, PKCS#8 PEM')
    .addOption(new Option('--scheme <scheme>', "absent: the usual one of the key's type").choices(SIGNATURE_SCHEMES))
    .option('-o, --out <file>', 'the signature to write; absent: <file>.sigstore.json')
    .action(async (file: string, options: SignOptions) => {
      const key = signingKeyFromPem(await readFile(options.key, 'utf8'), options.scheme);
      const signed = await signBundle(readBundle(file), key, file);
      const signature = options.out ?? signatureFileOf(file);
      await writeFile(signature, signed.document);
      const result = { signature, digest: signed.digest, keyId: key.keyId, scheme: key.scheme, mediaType: MEDIA_TYPES.sigstoreBundle };
      printFields(context.stdout, options, result, result);
    });
}
