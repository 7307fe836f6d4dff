import type { ScanningInput, ScanningView, ScanReportView } from '@packs/contracts';
import { DomainError, parseDigest, SCAN_MODES, SCANNERS } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

const SCANNING = '/api/scanning';

export function scanningCommand(context: CliContext): Command {
  const scanning = new Command('scanning').description('What packs are scanned for before a verdict on them, and what was found');
  withOutput(scanning.command('show').description('Shows what is looked for')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    print(context, options, await registry.get<ScanningView>(SCANNING));
  });
  withOutput(scanning.command('set').description('Changes what is looked for; what is not named stays as it is'))
    .addOption(new Option('--secrets <mode>', 'tokens, keys and passwords in text files').choices(SCAN_MODES))
    .addOption(new Option('--malware <mode>', 'what clamd knows').choices(SCAN_MODES))
    .action(async ({ secrets, malware, ...options }: OutputOptions & ScanningInput) => {
      if (!secrets && !malware) throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --secrets or --malware');
      const registry = await RegistryClient.open(context);
      print(context, options, await registry.put<ScanningView>(SCANNING, { secrets, malware }));
    });
  withOutput(scanning.command('report').description('Shows what a scanner said, by the digest that a verdict names'))
    .argument('<digest>')
    .action(async (digest: string, options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const answer = await registry.get<ScanReportView>(`${SCANNING}/reports/${encodeURIComponent(parseDigest(digest))}`);
      printRows(context.stdout, options, answer, answer.findings, [
        ['FILE', finding => finding.path],
        ['LINE', finding => finding.line ?? ''],
        ['RULE', finding => finding.rule],
      ]);
    });
  return scanning;
}

function print(context: CliContext, options: OutputOptions, answer: ScanningView): void {
  printRows(context.stdout, options, answer, SCANNERS, [
    ['SCANNER', scanner => scanner],
    ['MODE', scanner => answer[scanner]],
  ]);
}
