import { loadavg } from 'node:os';
import type { Machine } from './machine';
import { spreadOf } from './statistics';
import { shown, shownSpread, table } from './table';

/** Milliseconds of processor time of one verification. */
export interface VerifyTimes {
  readonly ours: number;
  readonly stock?: number;
  /** Of the same question asked again. */
  readonly again: number;
}

export interface KindRounds {
  readonly name: string;
  readonly keyless: boolean;
  readonly rounds: VerifyTimes[];
}

export interface VerifyResult {
  readonly machine: Machine;
  readonly count: number;
  readonly kinds: readonly KindRounds[];
}

const GOAL = 2.5;
const AGAIN_GOAL = 20;

export function verifyReport(result: VerifyResult): string {
  return [heading(result), table(HEADINGS, result.kinds.map(row))].join('\n\n');
}

function heading({ machine, count, kinds }: VerifyResult): string {
  return [
    '',
    `Verification, ${kinds[0]?.rounds.length ?? 0} rounds in turns; median (lowest-highest round)`,
    `  machine     ${machine.processors} x ${machine.processor}, ${shown(machine.memoryGib)} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    `  load        ${machine.load.map(shown).join(' ')} before the run, ${loadavg().map(shown).join(' ')} after it`,
    `  ours        ${count} a turn, one after another in one thread: document read, signer, evidence, signature and subject; trust parsed beforehand.`,
    '  stock       @sigstore/verify: bundle parsed, evidence and signature; it compares no subject. Its trusted root is parsed beforehand.',
    '  again       the same question once more, answered from memory.',
    `  goals       keyless: stock / ours >= ${GOAL}, stock / again >= ${AGAIN_GOAL}; a goal is met when every round met it.`,
  ].join('\n');
}

const HEADINGS = ['', 'per second and core', 'ours, CPU ms', 'stock, CPU ms', 'stock / ours', '', 'again, CPU ms', 'stock / again', ''];

function row({ name, keyless, rounds }: KindRounds): string[] {
  const ours = rounds.map(times => times.ours);
  const again = rounds.map(times => times.again);
  const stock = rounds.map(times => times.stock).filter(time => time !== undefined);
  const figures = [name, shownSpread(spreadOf(ours.map(ms => 1000 / ms))), shownSpread(spreadOf(ours))];
  const repeated = shownSpread(spreadOf(again));
  if (stock.length === 0) return [...figures, '-', '-', '', repeated, '-', ''];
  const ratio = spreadOf(stock.map((ms, round) => ms / (ours[round] ?? Number.NaN)));
  const gained = spreadOf(stock.map((ms, round) => ms / (again[round] ?? Number.NaN)));
  const met = (least: number, goal: number): string => (keyless ? (least >= goal ? 'met' : 'missed') : '');
  return [
    ...figures,
    shownSpread(spreadOf(stock)),
    shownSpread(ratio),
    met(ratio.min, GOAL),
    repeated,
    shownSpread(gained),
    met(gained.min, AGAIN_GOAL),
  ];
}
