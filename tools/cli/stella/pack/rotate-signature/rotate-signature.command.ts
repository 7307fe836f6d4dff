import { readFile } from 'node:fs/promises';
import type { RotateSignatureAnswer, RotateSignatureInput } from '@packs/contracts';
import { parseDigest } from '@packs/domain';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

interface RotateOptions extends OutputOptions {
  readonly signature?: readonly string[];
  readonly replaces?: readonly string[];
  readonly replaceAll?: boolean;
  readonly reason?: string;
}

export function rotateSignatureCommand(context: CliContext): Command {
  return withOutput(
    new Command('rotate-signature').description('Gives a published version other signatures, if its policies accept it with them'),
  )
    .argument('<packId@version>')
    .option('--signature <files...>', 'signatures of its bundle, as `stella pack sign` makes them, that come to those it has')
    .option('--replaces <digests...>', 'signatures that go for them')
    .option('--replace-all', 'all others go')
    .option('--reason <text>', 'why, for the history')
    .action((reference: string, options: RotateOptions) => rotate(context, reference, options));
}

async function rotate(context: CliContext, reference: string, options: RotateOptions): Promise<void> {
  const { packId, version } = parseVersionReference(reference);
  const { signature: files = [], replaces = [], replaceAll = false, reason } = options;
  const contents = await Promise.all(files.map(file => readFile(file)));
  const input: RotateSignatureInput = {
    signatures: contents.map(content => ({ content: content.toString('base64') })),
    replaces: replaces.map(digest => parseDigest(digest, '--replaces')),
    replaceAll,
    reason,
  };
  const registry = await RegistryClient.open(context);
  const answer = await registry.post<RotateSignatureAnswer>(`${packPath(packId, version)}/signatures`, input);
  const { changed, rotation, added, replaced, signatures, verdict, restored } = answer;
  printFields(context.stdout, options, answer, {
    [changed ? 'rotated' : 'unchanged']: `${packId}@${version}`,
    rotation,
    added: added.join(' ') || null,
    replaced: replaced.join(' ') || null,
    signatures: signatures.length,
    verdict,
    restored: restored ? 'served again' : null,
  });
}
