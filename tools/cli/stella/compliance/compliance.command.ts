import type { ComplianceSummary, Coverage } from '@packs/contracts';
import { PACK_TYPES } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface SummaryOptions extends OutputOptions {
  readonly channel?: string;
  readonly type?: string;
}

export function complianceCommand(context: CliContext): Command {
  const compliance = new Command('compliance').description('What is proven about the packs of the tenant');
  withOutput(compliance.command('summary').description('Counts versions with signatures, attestations and scans'))
    .option('--channel <channel>', 'only versions this channel points at')
    .addOption(new Option('--type <type>', 'only packs of this type').choices(PACK_TYPES))
    .action(async ({ channel, type, ...options }: SummaryOptions) => {
      const registry = await RegistryClient.open(context);
      printSummary(context, options, await registry.get<ComplianceSummary>('/api/compliance/summary', { channel, type }));
    });
  return compliance;
}

function printSummary({ stdout }: CliContext, options: OutputOptions, summary: ComplianceSummary): void {
  if (options.output === 'json') return printFields(stdout, options, summary, {});
  const { totals, byType, byChannel } = summary;
  const rows: readonly (Coverage & { readonly of: string })[] = [
    { of: 'all', ...totals },
    ...byType.map(({ type, ...coverage }) => ({ of: `type ${type}`, ...coverage })),
    ...byChannel.map(({ channel, ...coverage }) => ({ of: `channel ${channel}`, ...coverage })),
  ];
  printRows(stdout, options, summary, rows, [
    ['OF', row => row.of],
    ['PACKS', row => row.packs],
    ['VERSIONS', row => row.versions],
    ['SIGNED', row => share(row.signatures.signed, row.signatures.percent)],
    ['ATTESTED', row => share(row.attestations.versions, row.attestations.percent)],
    ['SCANNED', row => row.scans.scanned],
    ['PARTLY', row => row.scans.partlyScanned],
    ['NOT SCANNED', row => row.scans.notScanned],
    ['DEPRECATED', row => row.lifecycle.deprecated],
    ['ARCHIVED', row => row.lifecycle.archived],
  ]);
  if (totals.attestations.byPredicateType.length === 0) return;
  stdout.write('\n');
  printRows(stdout, options, summary, totals.attestations.byPredicateType, [
    ['ATTESTED AS', row => row.predicateType],
    ['VERSIONS', row => share(row.versions, row.percent)],
  ]);
}

function share(count: number, percent: number | null): string {
  return percent === null ? String(count) : `${count} (${percent}%)`;
}
