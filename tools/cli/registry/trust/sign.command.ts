import { readFile, writeFile } from 'node:fs/promises';
import { canonicalJson, DomainError } from '@packs/domain';
import {
  encodeTrustBundle,
  JsonFault,
  MAX_TRUST_BUNDLE_BYTES,
  parseStrictJson,
  parseTrustBundle,
  readTrustBundle,
  trustBundleMessage,
} from '@packs/sigstore';
import { Command } from 'commander';
import { signMessage } from '../../stella/pack/sign/sign-statement';
import { signingKeyFromPem } from '../../stella/pack/sign/signing-key';
import type { CliContext } from '../../terminal/cli-context';
import { collect } from '../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';
import { describeBundle } from './validate.command';

interface SignOptions extends OutputOptions {
  readonly key: readonly string[];
  readonly out: string;
}

export function signCommand(context: CliContext): Command {
  return withOutput(
    new Command('sign').description('Signs a trust bundle with root keys; others may add their signatures to the file it writes'),
  )
    .argument('<file>', 'what the bundle says, in JSON; or a bundle that somebody else has signed')
    .requiredOption('--key <file>', 'a private root key (PKCS#8 PEM), may be repeated', collect)
    .requiredOption('--out <file>', 'where to write the signed bundle')
    .action(async (file: string, { key: keys, out, ...options }: SignOptions) => {
      const { payload, signatures } = await readStarted(file);
      const message = trustBundleMessage(payload);
      const added = await Promise.all(keys.map(async name => signMessage(message, signingKeyFromPem(await readFile(name, 'utf8')))));
      const all = [...signatures, ...added];
      const content = encodeTrustBundle(payload, all);
      const described = describeBundle(readTrustBundle(content));
      await writeFile(out, content);
      const { tenant, version, digest } = described;
      printFields(
        context.stdout,
        options,
        { ...described, signatures: all.length, file: out },
        { tenant, version, digest, signatures: all.length, file: out },
      );
    });
}

interface Started {
  readonly payload: Uint8Array;
  readonly signatures: readonly Buffer[];
}

async function readStarted(file: string): Promise<Started> {
  const content = await readFile(file);
  const json = parse(content);
  if (typeof json === 'object' && json !== null && 'payloadType' in json) return readTrustBundle(content).envelope;
  parseTrustBundle(json);
  return { payload: Buffer.from(canonicalJson(json)), signatures: [] };
}

function parse(content: Buffer): unknown {
  try {
    return parseStrictJson(content, { maxBytes: 2 * MAX_TRUST_BUNDLE_BYTES, maxDepth: 10 });
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause;
    throw new DomainError('ERR_TRUST_BUNDLE_INVALID', `the file is ${cause.message}`, { cause });
  }
}
