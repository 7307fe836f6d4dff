import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { DomainError } from '@packs/domain';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../terminal/output';

interface EvidenceOptions extends OutputOptions {
  readonly out?: string;
  readonly bundle?: true;
}

export function evidenceCommand(context: CliContext): Command {
  return withOutput(new Command('evidence').description('Saves all that shows what a version is as one file that stock tools can check'))
    .argument('<packId@version>')
    .option('-o, --out <file>', 'where to save it; absent: <packId>-<version>.evidence.tar')
    .option('--bundle', 'with the bundle itself')
    .action(async (reference: string, options: EvidenceOptions) => {
      const { packId, version } = parseVersionReference(reference);
      const registry = await RegistryClient.open(context);
      const response = await registry.request(
        'GET',
        `${packPath(packId, version)}/evidence`,
        { bundle: options.bundle },
        { headers: { accept: '*/*' } },
      );
      const file = options.out ?? `${packId}-${version}.evidence.tar`;
      const saved = await save(response, file);
      const seq = Number(response.headers.get('stella-audit-seq') ?? 0);
      printFields(context.stdout, options, { file, ...saved, seq }, { file, ...saved, 'audit seq': seq });
      if (options.output !== 'json') context.stdout.write(`\ncheck it:  tar -xf ${file} -C <folder> && sh <folder>/verify.sh\n`);
    });
}

/** Nothing of that name is there before all of it has arrived. */
async function save(response: Response, file: string): Promise<{ readonly digest: string; readonly size: number }> {
  const part = `${file}.part`;
  const hash = createHash('sha256');
  let size = 0;
  try {
    const handle = await open(part, 'w');
    try {
      for await (const chunk of response.body ?? []) {
        const bytes = chunk as Uint8Array;
        hash.update(bytes);
        size += bytes.length;
        await handle.writeFile(bytes);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (String(size) !== response.headers.get('content-length')) throw new Error('the connection ended early');
    await rename(part, file);
  } catch (cause) {
    await rm(part, { force: true });
    throw new DomainError(
      'ERR_PACK_UNAVAILABLE',
      `the evidence did not arrive whole: ${cause instanceof Error ? cause.message : 'unknown'}`,
      { cause },
    );
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
