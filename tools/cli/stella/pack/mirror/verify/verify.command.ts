import { SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import { Command, Option } from 'commander';
import type { CliContext } from '../../../../terminal/cli-context';
import { collect } from '../../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../../terminal/output';
import { readKeys } from '../../verify/read-keys';
import { checkKit, describeKit, kitSignatureFile, readKitSignature } from '../check-kit';

interface VerifyOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly scheme?: SignatureScheme;
  readonly signature?: string;
}

export function verifyKitCommand(context: CliContext): Command {
  return withOutput(new Command('verify').description('Checks a kit on this machine, from its signature to its last byte'))
    .argument('<file>', 'the kit')
    .requiredOption('--key <file>', 'an exporter key (PEM) one of which must have signed; may be repeated', collect)
    .addOption(new Option('--scheme <scheme>', 'of the keys; absent: the usual one of their type').choices(SIGNATURE_SCHEMES))
    .option('--signature <file>', 'absent: <file>.sigstore.json')
    .action(async (file: string, options: VerifyOptions) => {
      const signature = await readKitSignature(options.signature ?? kitSignatureFile(file));
      const kit = describeKit(await checkKit(file, signature, await readKeys(options.key, options.scheme)));
      const { signedBy, selection, ...shown } = kit;
      printFields(
        context.stdout,
        options,
        { verified: true, ...kit },
        { verified: file, ...shown, selection: JSON.stringify(selection), 'signed by': signedBy && `${signedBy.name} (${signedBy.keyId})` },
      );
    });
}
