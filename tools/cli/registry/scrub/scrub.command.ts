import { setTimeout as pause } from 'node:timers/promises';
import type { ScrubView } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { instant, wholeNumber } from '../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

interface ScrubOptions extends OutputOptions {
  readonly since?: string;
  readonly sample?: number;
  readonly wait: boolean;
  readonly show?: string;
  readonly cancel?: string;
}

const SCRUBS = '/api/scrubs';
const POLL_MS = 500;

export function scrubCommand(context: CliContext): Command {
  const description = 'Reads the blob store, compares it with the digests and puts what is damaged in quarantine';
  return withOutput(new Command('scrub').description(description))
    .option('--since <time>', 'blobs stored from then on, such as 2026-01-31T00:00:00Z; absent: all', instant)
    .option('--sample <n>', 'read one blob of so many, chosen by chance', wholeNumber(1))
    .option('--no-wait', 'do not wait until it is done')
    .addOption(new Option('--show <id>', 'show an earlier scrub in place of a new one').conflicts(['since', 'sample', 'cancel']))
    .addOption(new Option('--cancel <id>', 'end a scrub; what it has found stays in quarantine').conflicts(['since', 'sample']))
    .action(async ({ since, sample, wait, show, cancel, ...options }: ScrubOptions) => {
      const registry = await RegistryClient.open(context);
      if (cancel !== undefined) return print(context, options, await registry.json<ScrubView>('DELETE', pathOf(cancel)));
      if (show !== undefined) return conclude(context, options, await registry.get<ScrubView>(pathOf(show)));
      const started = await registry.post<ScrubView>(SCRUBS, { since, sample });
      conclude(context, options, wait ? await ended(registry, started) : started);
    });
}

function pathOf(id: string): string {
  return `${SCRUBS}/${encodeURIComponent(id)}`;
}

async function ended(registry: RegistryClient, started: ScrubView): Promise<ScrubView> {
  let scrub = started;
  while (scrub.state === 'queued' || scrub.state === 'running') {
    await pause(POLL_MS);
    scrub = await registry.get<ScrubView>(pathOf(scrub.id));
  }
  return scrub;
}

/** @throws DomainError ERR_PACK_CORRUPT when the scrub has found damage: whoever runs it by a schedule goes by the exit code */
function conclude(context: CliContext, options: OutputOptions, scrub: ScrubView): void {
  print(context, options, scrub);
  const found = scrub.damaged + scrub.unreadable;
  if (found > 0) throw new DomainError('ERR_PACK_CORRUPT', `${found} of ${scrub.examined} blobs are damaged or cannot be read`);
}

function print(context: CliContext, options: OutputOptions, scrub: ScrubView): void {
  printFields(context.stdout, options, scrub, { ...scrub });
}
