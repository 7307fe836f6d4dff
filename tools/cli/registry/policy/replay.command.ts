import type { ReplayFinding, ReplayRange } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { instant, wholeNumber } from '../../terminal/option-values';
import { printFields, printRows, withOutput, type OutputOptions } from '../../terminal/output';
import type { ReplayProgram } from './replay-program';
import { advanced, begun, loadState, saveState, type ReplayState } from './replay-state';

interface ReplayOptions extends OutputOptions {
  readonly tenant?: string;
  readonly since?: string;
  readonly limit?: number;
  readonly state?: string;
}

/** How long a run that is killed may have to do again. */
const SAVE_MS = 250;

export function replayCommand(context: CliContext, program: ReplayProgram): Command {
  const description =
    'Runs stored verdicts again from PostgreSQL and the blob store alone, and compares their hashes (AUDITOR_DATABASE_URL, BLOB_STORE)';
  return withOutput(new Command('replay').description(description))
    .option('--tenant <name>', 'verdicts of one tenant; absent: of all')
    .option('--since <time>', 'verdicts stored from then on, such as 2026-01-31T00:00:00Z; absent: all', instant)
    .option('--limit <n>', 'at most so many in this run', wholeNumber(1))
    .option('--state <file>', 'keeps how far it is, and goes on from there when it is run again')
    .action(async ({ tenant, since, limit, state: file, ...options }: ReplayOptions) => {
      const filter = { ...(tenant !== undefined && { tenant }), ...(since !== undefined && { since }) };
      const start = file === undefined ? begun(filter) : await loadState(file, filter);
      const state = await follow(context, program, { start, file, limit });
      print(context, options, state);
      conclude(state, { limit, file });
    });
}

/** Hears the program out, and keeps what it says. */
async function follow(
  context: CliContext,
  program: ReplayProgram,
  { start, file, limit }: { readonly start: ReplayState; readonly file?: string; readonly limit?: number },
): Promise<ReplayState> {
  let state = start;
  let total = 0;
  let saved = context.now();
  const range: ReplayRange = { ...start.filter, after: start.after, ...(limit !== undefined && { limit }) };
  const show = progressOf(context);
  for await (const line of program(range, context.env)) {
    if (line.kind === 'error') throw new DomainError(line.code, line.message);
    if (line.kind === 'total') total = start.examined + line.verdicts;
    if (line.kind === 'end') {
      state = { ...state, complete: line.complete };
      if (file !== undefined) await saveState(file, state);
      return state;
    }
    if (line.kind !== 'step') continue;
    state = advanced(state, line);
    show(state.examined, total);
    if (file === undefined || context.now() - saved < SAVE_MS) continue;
    await saveState(file, state);
    saved = context.now();
  }
  throw new DomainError('ERR_PACK_UNAVAILABLE', 'the replay broke off before it said how far it had come');
}

/** On a terminal after each step, in a log at each tenth. */
function progressOf({ stderr }: CliContext): (examined: number, total: number) => void {
  let shown = 0;
  return (examined, total) => {
    const tenth = total === 0 ? 10 : Math.floor((examined / total) * 10);
    if (stderr.isTTY) stderr.write(`\rreplayed ${examined} of ${total} verdicts${examined >= total ? '\n' : ''}`);
    else if (tenth > shown) stderr.write(`replayed ${examined} of ${total} verdicts\n`);
    shown = tenth;
  };
}

function print(context: CliContext, options: OutputOptions, { filter: _, findings, after, faults: _faults, ...state }: ReplayState): void {
  const { examined, differing, skipped, complete } = state;
  const counts = { examined, same: examined - differing - skipped, differing, skipped };
  const answer = { ...counts, complete, after, findings };
  printFields(context.stdout, options, answer, { ...counts, complete });
  if (options.output === 'json' || findings.length === 0) return;
  context.stdout.write('\n');
  printRows(context.stdout, options, answer, findings, [
    ['TENANT', finding => finding.tenant],
    ['PACK', finding => finding.packId ?? finding.bundle],
    ['VERSION', finding => finding.version],
    ['OUTCOME', finding => finding.outcome],
    ['CHECK', finding => finding.difference?.check],
    ['STORED', finding => finding.verdict],
    ['FOUND', finding => finding.found],
    ['REASON', reasonOf],
  ]);
  const more = differing + skipped - findings.length;
  if (more > 0) context.stdout.write(`and ${more} more\n`);
}

function reasonOf({ obstacle, reason, difference, outcome }: ReplayFinding): string {
  if (obstacle !== undefined) return `${obstacle}: ${reason ?? ''}`;
  if (difference) return `was ${difference.was}; is ${difference.is}`;
  return outcome === 'altered' ? 'what is stored does not have the hash it is stored by' : '';
}

/** @throws DomainError ERR_PACK_CORRUPT when a verdict is not found again: whoever runs it by a schedule goes by the exit code */
function conclude(
  { faults, examined, complete }: ReplayState,
  { limit, file }: Pick<ReplayOptions, 'limit'> & { readonly file?: string },
): void {
  if (faults > 0) throw new DomainError('ERR_PACK_CORRUPT', `${faults} of ${examined} verdicts are not found again`);
  if (complete || limit !== undefined) return;
  const how = file === undefined ? 'with --state <file> it could go on from here' : `run it again with --state ${file} to go on`;
  throw new DomainError('ERR_PACK_UNAVAILABLE', `the replay was interrupted after ${examined} verdicts: ${how}`);
}
