import type { AuditEntryView } from '@packs/contracts';
import { Command } from 'commander';
import { readAudit } from '../../client/audit-log';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { wholeNumber } from '../../terminal/option-values';
import { printRows, withOutput, type Column, type OutputOptions } from '../../terminal/output';

interface AuditOptions extends OutputOptions {
  readonly packId?: string;
  readonly type?: string;
  readonly after: number;
  readonly limit: number;
}

export const AUDIT_COLUMNS: readonly Column<AuditEntryView>[] = [
  ['SEQ', entry => entry.seq],
  ['AT', entry => entry.occurredAt],
  ['TYPE', entry => entry.type],
  ['PACK', entry => (entry.packId && entry.version ? `${entry.packId}@${entry.version}` : entry.packId)],
  ['ACTOR', entry => entry.actor],
];

export function auditCommand(context: CliContext): Command {
  return withOutput(new Command('audit').description("Reads the tenant's audit log"))
    .option('--pack-id <packId>', 'only of this pack')
    .option('--type <type>', 'only of this type, such as pack.version.published')
    .option('--after <seq>', 'only behind this entry', wholeNumber(0), 0)
    .option('--limit <n>', 'at most so many entries', wholeNumber(1), 50)
    .action(async ({ limit, packId, type, after, ...options }: AuditOptions) => {
      const registry = await RegistryClient.open(context);
      const entries: AuditEntryView[] = [];
      for await (const entry of readAudit(registry, { packId, type, after })) {
        entries.push(entry);
        if (entries.length === limit) break;
      }
      printRows(context.stdout, options, { entries }, entries, AUDIT_COLUMNS);
    });
}
