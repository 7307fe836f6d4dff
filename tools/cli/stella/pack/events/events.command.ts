import type { AuditEntryView } from '@packs/contracts';
import { parsePackId } from '@packs/domain';
import { Command } from 'commander';
import { readAudit } from '../../../client/audit-log';
import { RegistryClient, packPath } from '../../../client/registry-client';
import { serverSentEvents } from '../../../client/server-sent-events';
import type { CliContext } from '../../../terminal/cli-context';
import { wholeNumber } from '../../../terminal/option-values';
import { printRows, printable, withOutput, type OutputOptions } from '../../../terminal/output';
import { AUDIT_COLUMNS } from '../../audit/audit.command';

interface EventsOptions extends OutputOptions {
  readonly after: number;
  readonly follow?: true;
}

export function eventsCommand(context: CliContext): Command {
  return withOutput(new Command('events').description('Shows what happened to a pack'))
    .argument('<packId>')
    .option('--after <seq>', 'only behind this event', wholeNumber(0), 0)
    .option('--follow', 'go on with what happens from now on; in JSON one event a line')
    .action(async (text: string, options: EventsOptions) => {
      const packId = parsePackId(text);
      if (options.follow) return follow(context, packId, options);
      const entries: AuditEntryView[] = [];
      for await (const entry of readAudit(await RegistryClient.open(context), { packId, after: options.after })) entries.push(entry);
      printRows(context.stdout, options, { entries }, entries, AUDIT_COLUMNS);
    });
}

const RECONNECT_MS = 1000;

/** The stream may end at any time; it goes on behind the last event that was seen, with a token that is still good. */
async function follow(context: CliContext, packId: string, options: EventsOptions): Promise<void> {
  for (let seen = String(options.after); ; await new Promise(resolve => setTimeout(resolve, RECONNECT_MS))) {
    const registry = await RegistryClient.open(context);
    const headers = { accept: 'text/event-stream', 'last-event-id': seen };
    const response = await registry.request('GET', `${packPath(packId)}/events`, {}, { headers });
    for await (const { id, type, data } of serverSentEvents(untilCut(response))) {
      seen = id || seen;
      context.stdout.write(options.output === 'json' ? `${oneLine(data)}\n` : `${lineOf(id, type, data)}\n`);
    }
  }
}

async function* untilCut({ body }: Response): AsyncGenerator<Uint8Array, void> {
  try {
    if (body) yield* body as AsyncIterable<Uint8Array>;
  } catch {
    // A connection that is cut is the end of the stream like any other.
  }
}

function oneLine(data: string): string {
  return data.replaceAll('\n', ' ');
}

function lineOf(id: string, type: string, data: string): string {
  const entry = parseEntry(data);
  const cells = AUDIT_COLUMNS.slice(1).map(([, cell]) => printable(cell({ type, ...entry } as AuditEntryView)));
  return [id, ...cells].filter(Boolean).join('  ');
}

function parseEntry(data: string): Partial<AuditEntryView> {
  try {
    return JSON.parse(data) as Partial<AuditEntryView>;
  } catch {
    return {};
  }
}
