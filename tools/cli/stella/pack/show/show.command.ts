import type { PackDetail, PackView, VersionView } from '@packs/contracts';
import { Command } from 'commander';
import { parseReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, printRows, withOutput, type OutputOptions } from '../../../terminal/output';

interface ShowOptions extends OutputOptions {
  readonly namespace?: string;
}

const VERSIONS_SHOWN = 50;

export function showCommand(context: CliContext): Command {
  return withOutput(new Command('show').description('Shows a pack and its versions, or everything about one version'))
    .argument('<packId[@version]>')
    .option('--namespace <tenant>', "another tenant's pack that is visible")
    .action(async (reference: string, options: ShowOptions) => {
      const { packId, version } = parseReference(reference);
      const registry = await RegistryClient.open(context);
      const query = { namespace: options.namespace };
      if (version !== undefined) return showVersion(context, options, await registry.get<VersionView>(packPath(packId, version), query));
      const { pack } = await registry.get<PackDetail>(packPath(packId), query);
      const versions = await registry.list<VersionView>(
        `${packPath(packId)}/versions`,
        'versions',
        { ...query, lifecycle: 'all' },
        VERSIONS_SHOWN,
      );
      showPack(context, options, pack, versions);
    });
}

function showPack({ stdout }: CliContext, options: OutputOptions, pack: PackView, versions: readonly VersionView[]): void {
  if (options.output === 'json') return printFields(stdout, options, { pack, versions }, {});
  const { packId, tenant, type, name, description, tags, author, lifecycle } = pack;
  printFields(stdout, options, pack, { packId, name, tenant, type, description, tags, author, lifecycle });
  stdout.write('\n');
  printRows(stdout, options, versions, versions, [
    ['VERSION', row => row.version],
    ['PUBLISHED', row => row.publishedAt],
    ['CHANNELS', row => row.channels.join(' ')],
    ['SIGNED BY', row => row.signatures.map(signature => signature.keyName ?? '?').join(' ')],
    ['STATE', row => row.lifecycle],
    ['DIGEST', row => row.digest],
  ]);
}

function showVersion({ stdout }: CliContext, options: OutputOptions, view: VersionView): void {
  const { packId, version, tenant, type, digest, manifestDigest, size, publishedAt, publishedBy, channels, deprecation, verdict } = view;
  printFields(stdout, options, view, {
    packId,
    version,
    tenant,
    type,
    digest,
    manifestDigest,
    size,
    published: `${publishedAt} by ${publishedBy}`,
    channels,
    lifecycle: view.lifecycle,
    visible: view.tenantVisibility,
    dependencies: view.dependencies.map(({ packId: id, version: range }) => `${id} ${range}`),
    signatures: view.signatures.map(({ keyName, scheme, keyId }) => `${keyName ?? 'unknown key'} (${scheme ?? ''} ${keyId ?? ''})`),
    verdict: `${verdict.outcome} ${verdict.hash}`,
    deprecated:
      deprecation && [deprecation.at, deprecation.reason, deprecation.replacement && `use ${deprecation.replacement}`].filter(Boolean),
    archived: view.archival && [view.archival.at, view.archival.reason].filter(Boolean),
  });
}
