import { rename, writeFile } from 'node:fs/promises';
import type { ExportInput, ExportView } from '@packs/contracts';
import { DomainError, PACK_TYPES, parseDigest, sha256, type PackType } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../../../client/registry-client';
import type { CliContext } from '../../../../terminal/cli-context';
import { collect, wholeNumber } from '../../../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../../../terminal/output';
import { Progress } from '../../../../terminal/progress';
import { download } from '../../pull/download';
import { readKeys } from '../../verify/read-keys';
import { awaitJob } from '../await-job';
import { checkKit, describeKit, kitSignatureFile } from '../check-kit';

interface ExportOptions extends OutputOptions {
  readonly out: string;
  readonly channel: readonly string[];
  readonly type: readonly PackType[];
  readonly pack: readonly string[];
  readonly tag: readonly string[];
  readonly seq?: number;
  readonly key: readonly string[];
  readonly progress?: true;
}

const EXPORTS = '/api/exports';

export function exportCommand(context: CliContext): Command {
  return withOutput(new Command('export').description('Has a kit made, fetches it with its signature, and checks every byte'))
    .requiredOption('-o, --out <file>', 'where to write it; the signature goes to <file>.sigstore.json')
    .option('--channel <channel>', 'versions that were published or promoted to it; may be repeated', collect, [])
    .addOption(new Option('--type <type>', 'packs of this type; may be repeated').choices(PACK_TYPES).argParser(packType).default([]))
    .option('--pack <packId>', 'this pack, or with a * at the end all whose ids begin so; may be repeated', collect, [])
    .option('--tag <tag>', 'versions with this tag; may be repeated', collect, [])
    .option('--seq <seq>', 'as of this entry of the audit log; absent: as of now', wholeNumber(1))
    .option('--key <file>', 'accept it only when signed by this exporter key (PEM); may be repeated', collect, [])
    .option('--progress', 'show progress although stderr is not a terminal')
    .action((options: ExportOptions) => exportKit(context, options));
}

async function exportKit(context: CliContext, options: ExportOptions): Promise<void> {
  const { out, progress } = options;
  const keys = await readKeys(options.key);
  const registry = await RegistryClient.open(context);
  const { id } = await registry.json<ExportView>(
    'POST',
    EXPORTS,
    {},
    { body: JSON.stringify(inputOf(options)), headers: { 'content-type': 'application/json' } },
  );
  const route = `${EXPORTS}/${id}`;
  const { kit } = await awaitJob<ExportView>(context, registry, route, { label: 'making the kit', progress });
  if (!kit) throw new DomainError('ERR_KIT_NOT_READY', 'the registry tells of no kit');
  const part = await download(
    headers => registry.request('GET', `${route}/kit`, {}, { headers }),
    { file: out, digest: parseDigest(kit.digest), size: kit.size },
    start => Progress.of(context, 'fetching the kit', { total: kit.size, start, wanted: progress }),
  );
  const response = await registry.request('GET', `${route}/signature`, {}, { headers: { accept: '*/*' } });
  const signature = Buffer.from(await response.arrayBuffer());
  if (sha256(signature) !== kit.signature) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', 'the signature does not have its digest');
  const checked = describeKit(await checkKit(part, signature, keys));
  await writeFile(kitSignatureFile(out), signature);
  await rename(part, out);
  const result = { file: out, signature: kitSignatureFile(out), ...checked, withdrawn: kit.withdrawn };
  printFields(context.stdout, options, result, {
    ...result,
    selection: JSON.stringify(checked.selection),
    signedBy: checked.signedBy?.name,
  });
}

function packType(value: string, before: readonly string[]): readonly string[] {
  if (!(PACK_TYPES as readonly string[]).includes(value))
    throw new DomainError('ERR_PACK_REQUEST_INVALID', `--type must be one of ${PACK_TYPES.join(', ')}`);
  return collect(value, before);
}

function inputOf({ channel, type, pack, tag, seq }: ExportOptions): ExportInput {
  const lists = { channels: channel, types: type, packIds: pack, tags: tag };
  const selection = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
  return { selection, ...(seq !== undefined && { seq }) };
}
