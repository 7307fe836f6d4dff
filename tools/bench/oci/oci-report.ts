import { circumstances, type Circumstances } from '../circumstances';
import { total } from '../processes';
import { scaled, spreadOf, verdictOf, type Spread } from '../statistics';
import { shown, shownSpread, table } from '../table';
import type { IsolationRound } from './isolation';
import type { LoadTurn } from './load-turn';
import { OURS } from './our-registry';
import type { Measure, Row } from './plan';

/** A row with the turns of each side that serves it. */
export interface RowResult {
  readonly row: Row;
  readonly turns: Readonly<Record<string, readonly LoadTurn[]>>;
}

export interface OciResult extends Circumstances {
  readonly sides: readonly { readonly name: string; readonly version: string; readonly durability: string }[];
  /** Peers that are not here, and where one gets them. */
  readonly skipped: readonly string[];
  readonly gateways: readonly string[];
  /** Of each gateway before the first turn, in MiB. */
  readonly idleMib: readonly number[];
  readonly rows: readonly RowResult[];
  readonly isolation: readonly IsolationRound[];
}

const GIB = 1024 ** 3;
/** Servers the product stands on: their use is not the product's. */
const SERVERS = ['PostgreSQL', 'NATS'];
const UNITS: Readonly<Record<Measure, string>> = { perSecond: '/s', megabytesPerSecond: 'MB/s', p50: 'ms p50' };

export function ociReport(result: OciResult): string {
  const parts = [
    head(result),
    speeds(result),
    times(result),
    costs(result),
    growth(result.rows),
    isolation(result.isolation),
    result.skipped.map(name => `  skipped: ${name}`).join('\n'),
  ];
  return parts.filter(part => part !== '').join('\n\n');
}

function head(result: OciResult): string {
  const rounds = Object.values(result.rows[0]?.turns ?? {})[0]?.length ?? result.isolation.length;
  return [
    '',
    `OCI registry beside others, ${rounds} rounds in turns; median (lowest-highest round); times in ms`,
    ...circumstances(result),
    `              ${result.gateways.length} gateway processes behind one port; idle: ${result.idleMib.map(shown).join(' and ')} MiB.`,
    ...result.sides.map(({ name, version, durability }) => `  ${name.padEnd(17)} ${version}: ${durability}; no token, no log, no events`),
    '  load        from a process of its own, connections kept open, the volume touched before each turn that pushes.',
  ].join('\n');
}

/** Ours, each peer, and what ours is to each. */
function speeds({ rows, sides }: OciResult): string {
  const peers = sides.map(({ name }) => name);
  const lines = rows.map(({ row, turns }) => {
    const figures = [OURS, ...peers].map(name => shownFigure(turns[name], row.measure));
    const ratios = peers.map(name => ratio(row, turns[OURS], turns[name], row.goals[name]));
    return [`${row.title}${row.mark ? ` (${row.mark})` : ''}`, UNITS[row.measure], ...figures, ...ratios];
  });
  return table(['load', '', OURS, ...peers, ...peers.map(name => `ours/${name}`)], lines);
}

function shownFigure(turns: readonly LoadTurn[] | undefined, measure: Measure): string {
  return turns ? shownSpread(spreadOf(turns.map(turn => turn[measure]))) : 'not served';
}

function ratio(
  { measure }: Row,
  ours: readonly LoadTurn[] | undefined,
  theirs: readonly LoadTurn[] | undefined,
  goal: number | undefined,
): string {
  if (!ours || !theirs) return '-';
  const [mine, others] = [ours.map(turn => turn[measure]), theirs.map(turn => turn[measure])];
  const middle = shown(spreadOf(mine).median / spreadOf(others).median);
  if (goal === undefined) return middle;
  const verdict = againstGoal(mine, others, goal, measure === 'p50');
  return `${middle} (${measure === 'p50' ? '<=' : '>='} ${goal}: ${verdict})`;
}

/** Won or lost only when the ranges of the rounds do not touch. */
export function againstGoal(ours: readonly number[], theirs: readonly number[], goal: number, lessIsBetter: boolean): string {
  const inverse = (values: readonly number[]): Spread => spreadOf(values.map(value => 1 / value));
  if (lessIsBetter) return verdictOf(spreadOf(ours), scaled(spreadOf(theirs), goal));
  return verdictOf(inverse(ours), scaled(inverse(theirs), 1 / goal));
}

function times({ rows, sides }: OciResult): string {
  const names = [OURS, ...sides.map(({ name }) => name)];
  const of = (turns: readonly LoadTurn[] | undefined, key: 'p50' | 'p99') =>
    turns ? shown(spreadOf(turns.map(turn => turn[key])).median) : '-';
  const bystanders = rows.flatMap(({ row, turns }) => {
    const shownP99 = names.map(name => {
      const p99s = (turns[name] ?? []).flatMap(({ bystanderP99 }) => bystanderP99 ?? []);
      return p99s.length > 0 ? `${name} ${shownSpread(spreadOf(p99s))}` : undefined;
    });
    const known = shownP99.filter(text => text !== undefined);
    return known.length > 0 ? [`  p99 of a small read of somebody else during ${row.title}: ${known.join(', ')}`] : [];
  });
  const lines = rows.map(({ row, turns }) => [row.title, ...names.flatMap(name => [of(turns[name], 'p50'), of(turns[name], 'p99')])]);
  return [table(['time of an operation, ms', ...names.flatMap(name => [`${name} p50`, 'p99'])], lines), ...bystanders].join('\n');
}

/** CPU and memory: medians over the rounds. PostgreSQL counts shared pages once for each of its processes, so its memory is left out. */
function costs({ rows, sides, gateways }: OciResult): string {
  const peers = sides.map(({ name }) => name);
  const lines = rows.map(({ row, turns }) => {
    const ours = turns[OURS];
    const product = Object.keys(ours?.[0]?.cpu ?? {}).filter(name => !SERVERS.includes(name));
    const cpu = (of: readonly LoadTurn[] | undefined, names: readonly string[]) => (of ? shown(spentBy(of, row, names)) : '-');
    const peak = (of: readonly LoadTurn[] | undefined, names: readonly string[]) => (of ? shown(memoryOf(of, names)) : '-');
    return [
      row.title,
      isLarge(row) ? 's/GiB' : 's/1,000',
      cpu(ours, product),
      cpu(ours, ['PostgreSQL']),
      cpu(ours, ['NATS']),
      ...peers.map(name => cpu(turns[name], [name])),
      peak(ours, gateways),
      peak(ours, product),
      ...peers.map(name => peak(turns[name], [name])),
      ours ? shown(spreadOf(ours.map(turn => turn.clientCores)).median) : '-',
      shown(spreadOf(Object.values(turns).flatMap(each => each.map(turn => turn.otherCores))).median),
    ];
  });
  const headings = ['CPU and peak MiB', 'CPU', 'ours', '+PostgreSQL', '+NATS', ...peers, 'MiB gateways', 'MiB ours', ...peers];
  return table([...headings, 'client cores', 'cores of others'], lines);
}

function isLarge({ load }: Row): boolean {
  return (load.bytes ?? 0) >= 1024 ** 2;
}

function spentBy(turns: readonly LoadTurn[], row: Row, names: readonly string[]): number {
  const each = turns.map(turn => {
    const spent = total(names.flatMap(name => turn.cpu[name] ?? []));
    return isLarge(row) ? spent / ((turn.megabytesPerSecond * 1e6 * turn.seconds) / GIB) : (spent / turn.operations) * 1000;
  });
  return spreadOf(each).median;
}

function memoryOf(turns: readonly LoadTurn[], names: readonly string[]): number {
  return spreadOf(turns.map(turn => names.reduce((sum, name) => sum + (turn.peakMib[name] ?? 0), 0))).median;
}

/** What a repository's size does to the same operation: the largest measured against the smallest, on each side. */
function growth(rows: readonly RowResult[]): string {
  const kinds = [...new Set(rows.filter(({ row }) => row.load.entries !== undefined).map(({ row }) => row.load.kind))];
  const lines = kinds.flatMap(kind => {
    const same = rows.filter(({ row }) => row.load.kind === kind);
    const [first, last] = [same[0], same.at(-1)];
    if (!first || !last || first === last) return [];
    return Object.keys(last.turns).flatMap(name => {
      const [from, to] = [first.turns[name], last.turns[name]];
      if (!from || !to) return [];
      const factor = spreadOf(to.map(turn => turn.p50)).median / spreadOf(from.map(turn => turn.p50)).median;
      return [[`${name}: ${last.row.title} / at ${(first.row.load.entries ?? 0).toLocaleString('en')}`, shown(factor)]];
    });
  });
  return lines.length > 0 ? table(['growth of the p50', 'factor'], lines) : '';
}

function isolation(rounds: readonly IsolationRound[]): string {
  if (rounds.length === 0) return '';
  const apart = rounds.filter(({ distance, critical }) => distance > critical).length;
  const of = (value: (round: IsolationRound) => number) => shownSpread(spreadOf(rounds.map(value)));
  return [
    table(
      ["HEAD of another tenant's blob beside one of what is nowhere", ''],
      [
        ['foreign, p50', of(round => round.foreignP50)],
        ['absent, p50', of(round => round.absentP50)],
        ['difference of medians', of(round => round.foreignP50 - round.absentP50)],
        ["Kolmogorov and Smirnov's distance", of(round => round.distance)],
        ['distance by chance, 1 in 100', of(round => round.critical)],
      ],
    ),
    `  ${apart} of ${rounds.length} rounds are further apart than by chance`,
  ].join('\n');
}
