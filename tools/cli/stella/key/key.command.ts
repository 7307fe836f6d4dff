import { Command, Option } from 'commander';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';
import { generateKey } from './generate-key';

interface GenerateOptions extends OutputOptions {
  readonly out: string;
  readonly name: string;
  readonly scheme: SignatureScheme;
}

export function keyCommand(context: CliContext): Command {
  const key = new Command('key').description('Keys to sign packs with');
  withOutput(key.command('generate').description('Makes a key pair: <name>.key.pem for its owner alone and <name>.pub.pem for everybody'))
    .option('--out <dir>', 'where to write it', '.')
    .option('--name <name>', 'how to name it', 'pack-signing')
    .addOption(new Option('--scheme <scheme>', 'what it signs with').choices(SIGNATURE_SCHEMES).default('ecdsa-p256-sha256'))
    .action(async (options: GenerateOptions) => {
      const made = await generateKey(options.out, options.name, options.scheme);
      printFields(context.stdout, options, made, { 'private key': made.privateKey, 'public key': made.publicKey, 'key id': made.keyId });
    });
  return key;
}
