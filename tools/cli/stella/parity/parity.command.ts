import { setTimeout as delay } from 'node:timers/promises';
import {
  PARITY_STATES,
  type MirrorList,
  type ParityCheckView,
  type ParityResponse,
  type ParityRow,
  type ParityState,
} from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { RegistryProblem } from '../../client/registry-problem';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface CheckOptions extends OutputOptions {
  readonly depth: 'bytes' | 'index';
  readonly wait: boolean;
}

interface ShowOptions extends OutputOptions {
  readonly mirror?: string;
  readonly state?: ParityState;
}

const PARITY = '/api/parity';
const POLL_MS = 200;
const PAGE = 200;

export function parityCommand(context: CliContext): Command {
  const parity = new Command('parity').description('How mirrors stand beside the registry');
  checkCommand(parity, context);
  withOutput(parity.command('show').description('Shows how mirrors stand, and what differs at them'))
    .option('--mirror <name>', 'only this mirror, by its name or id')
    .addOption(new Option('--state <state>', 'rows in this state; else all that differ').choices(PARITY_STATES))
    .action(async ({ mirror, state, ...options }: ShowOptions) => {
      const registry = await RegistryClient.open(context);
      const mirrorId = mirror === undefined ? undefined : await idOf(registry, mirror);
      const shown = await show(registry, mirrorId, state);
      printMirrors(context, options, shown);
    });
  return parity;
}

function checkCommand(parity: Command, context: CliContext): void {
  withOutput(parity.command('check').description('Compares a mirror with the registry now; fails when it is out of step'))
    .argument('<mirror>', 'its name or id')
    .addOption(
      new Option('--depth <depth>', 'read every byte, or only what the mirror says of itself').choices(['bytes', 'index']).default('bytes'),
    )
    .option('--no-wait', 'return at once')
    .action(async (mirror: string, options: CheckOptions) => {
      const registry = await RegistryClient.open(context);
      let check = await registry.post<ParityCheckView>(`${PARITY}/checks`, {
        mirrorId: await idOf(registry, mirror),
        depth: options.depth,
      });
      while (options.wait && (check.state === 'queued' || check.state === 'running')) {
        await delay(POLL_MS);
        check = await registry.get<ParityCheckView>(`${PARITY}/checks/${check.id}`);
      }
      printRows(context.stdout, options, check, [check], CHECK_COLUMNS);
      if (check.state === 'failed') {
        throw new RegistryProblem(
          502,
          check.error?.code ?? 'ERR_PACK_INTERNAL',
          `the comparison failed: ${check.error?.message ?? 'for an unknown reason'}`,
          [],
        );
      }
      if (check.inStep === false) throw new DomainError('ERR_PARITY_OUT_OF_STEP', `${mirror} is out of step`);
    });
}

const CHECK_COLUMNS = [
  ['CHECK', (check: ParityCheckView) => check.id],
  ['STATE', (check: ParityCheckView) => check.state],
  ['DEPTH', (check: ParityCheckView) => check.depth],
  ['VERSIONS', (check: ParityCheckView) => `${check.progress.versions}/${check.progress.totalVersions}`],
  ['IN STEP', (check: ParityCheckView) => check.inStep],
  ['DIFFERENCES', (check: ParityCheckView) => check.counts && differencesOf(check.counts)],
  ['ERROR', (check: ParityCheckView) => check.error?.code],
] as const;

async function show(registry: RegistryClient, mirrorId: string | undefined, state: ParityState | undefined): Promise<ParityResponse> {
  const states = state ? [state] : PARITY_STATES.filter(one => one !== 'in-step');
  let mirrors: ParityResponse['mirrors'] = [];
  const rows: ParityRow[] = [];
  for (const one of states) {
    for (let cursor: string | undefined; ;) {
      const page = await registry.get<ParityResponse>(PARITY, { mirrorId, state: one, limit: PAGE, cursor });
      mirrors = page.mirrors;
      rows.push(...page.rows);
      if (page.next === null) break;
      cursor = page.next;
    }
  }
  return { mirrors, rows, next: null };
}

function printMirrors(context: CliContext, options: OutputOptions, shown: ParityResponse): void {
  printRows(context.stdout, options, shown, shown.mirrors, [
    ['MIRROR', mirror => mirror.name],
    ['IN STEP', mirror => mirror.inStep],
    ['VERSIONS IN STEP', mirror => mirror.counts['in-step']],
    ['DIFFERENCES', mirror => differencesOf(mirror.counts)],
    ['CHECKED', mirror => mirror.checkedAt ?? '(never)'],
    ['SYNCED', mirror => mirror.lastSync.at ?? '(never)'],
    ['ERROR', mirror => mirror.error?.code],
  ]);
  if (options.output === 'json' || shown.rows.length === 0) return;
  const names = new Map(shown.mirrors.map(mirror => [mirror.mirrorId, mirror.name]));
  context.stdout.write('\n');
  printRows(context.stdout, options, shown, shown.rows, [
    ['MIRROR', row => names.get(row.mirrorId)],
    ['PACK', row => row.packId],
    ['VERSION', row => row.version],
    ['STATE', row => (row.pending ? `${row.state} (not synced yet)` : row.state)],
    ['FILE', row => row.path],
  ]);
}

function differencesOf(counts: ParityResponse['mirrors'][number]['counts']): number {
  return Object.entries(counts).reduce((sum, [state, count]) => (state === 'in-step' ? sum : sum + count), 0);
}

async function idOf(registry: RegistryClient, name: string): Promise<string> {
  const { mirrors } = await registry.get<MirrorList>('/api/mirrors');
  const found = mirrors.find(mirror => mirror.name === name || mirror.id === name);
  if (!found) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror is named ${name}`);
  return found.id;
}
