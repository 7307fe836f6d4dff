import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { ReadableStream } from 'node:stream/web';
import { KIT_MEDIA_TYPES, type ImportView } from '@packs/contracts';
import { MEDIA_TYPES } from '@packs/domain';
import { Command } from 'commander';
import { RegistryClient } from '../../../../client/registry-client';
import type { CliContext } from '../../../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../../../terminal/output';
import { Progress } from '../../../../terminal/progress';
import { readBundle } from '../../pack-files';
import { encodeMultipart, multipartType, type Part } from '../../push/multipart';
import { awaitJob } from '../await-job';
import { kitSignatureFile, readKitSignature } from '../check-kit';

interface ImportOptions extends OutputOptions {
  readonly signature?: string;
  readonly preflight?: true;
  readonly acceptTrust?: true;
  readonly progress?: true;
}

export function importCommand(context: CliContext): Command {
  return withOutput(new Command('import').description('Brings a kit into the registry: all of it or nothing'))
    .argument('<file>', 'the kit')
    .option('--signature <file>', 'absent: <file>.sigstore.json')
    .option('--preflight', 'only report what an import would do')
    .option('--accept-trust', "take over the kit's keys, policies and allow-list in place of the tenant's own")
    .option('--progress', 'show progress although stderr is not a terminal')
    .action((file: string, options: ImportOptions) => importKit(context, file, options));
}

async function importKit(context: CliContext, file: string, options: ImportOptions): Promise<void> {
  const signature = await readKitSignature(options.signature ?? kitSignatureFile(file));
  const { size } = await stat(file);
  const registry = await RegistryClient.open(context);
  const sending = Progress.of(context, 'sending the kit', { total: size, wanted: options.progress });
  const boundary = `stella-${randomUUID()}`;
  const parts: Part[] = [
    { name: 'signature', fileName: 'kit.tar.sigstore.json', mediaType: MEDIA_TYPES.sigstoreBundle, content: [signature] },
    { name: 'kit', fileName: 'kit.tar', mediaType: KIT_MEDIA_TYPES.kit, content: sending.count(readBundle(file)) },
  ];
  const { id } = await registry.json<ImportView>(
    'POST',
    '/api/imports',
    { preflight: options.preflight, acceptTrust: options.acceptTrust },
    {
      body: ReadableStream.from(encodeMultipart(boundary, parts)) as RequestInit['body'],
      headers: { 'content-type': multipartType(boundary) },
      duplex: 'half',
    },
  );
  const view = await awaitJob<ImportView>(context, registry, `/api/imports/${id}`, {
    label: 'importing the kit',
    progress: options.progress,
  });
  printFields(context.stdout, options, view, fieldsOf(view));
}

function fieldsOf({ id, digest, size, report, result }: ImportView): Readonly<Record<string, unknown>> {
  return {
    outcome: result?.outcome === 'preflight' ? `${report?.outcome} (preflight: nothing was done)` : result?.outcome,
    kit: digest,
    size,
    tenant: report?.source.tenant,
    generation: report?.generation,
    exporter: report && `${report.exporter.name} (${report.exporter.keyId})`,
    versions: report?.versions.total,
    new: report?.versions.new,
    known: report?.versions.known,
    conflicting: report?.conflicting.map(({ packId, version }) => `${packId}@${version}`),
    job: id,
  };
}
