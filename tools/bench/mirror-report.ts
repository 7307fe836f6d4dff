import { circumstances, type Circumstances } from './circumstances';
import { SERVERS, total } from './processes';
import { scaled, spreadOf, verdictOf } from './statistics';
import type { SyncFigures } from './sync-turn';
import { shown, shownBytes, shownSpread, table } from './table';
import type { Turn } from './turn';

export interface MeasuredSync {
  readonly turn: Turn;
  readonly sync: SyncFigures;
}

export interface MirrorRound {
  /** Publishes alone, and beside a sync. */
  readonly without: Turn;
  readonly during: Turn;
  /** Whether the sync was under way as long as the turn beside it. */
  readonly covered: boolean;
  /** The sync beside the publishes. */
  readonly sync: SyncFigures;
  /** Syncs alone: of the small versions, of the large ones. */
  readonly small: MeasuredSync;
  readonly large: MeasuredSync;
}

export interface MirrorResult extends Circumstances {
  /** Bytes of a bundle. */
  readonly small: number;
  readonly large: number;
  readonly rounds: readonly MirrorRound[];
}

const GIB = 1024 ** 3;
/** Fewer publishes beside a sync say nothing of its slowest. */
const LEAST = 20;
const WORKER = 'mirror-worker';

export function mirrorReport(result: MirrorResult): string {
  return [heading(result), publishes(result), syncs(result), costs(result)].join('\n\n');
}

function heading(result: MirrorResult): string {
  const { rounds, small, large } = result;
  const [first] = rounds;
  return [
    '',
    `Mirror, ${rounds.length} rounds in turns; median (lowest-highest round); times in ms`,
    ...circumstances(result),
    `  publishes   ${first?.without.operations ?? 0} of 4 KiB by one client, one after another; beside a sync as many as fit between 1 % and 90 % of it.`,
    `  syncs       each to a fresh OCI image layout on the same disk: ${first?.small.sync.versions ?? 0} versions of ${shownBytes(small)}, ` +
      `${first?.large.sync.versions ?? 0} of ${shownBytes(large)}; beside publishes both.`,
    '              Every blob of a mirror: fdatasync of the file; its folder once for 16 versions.',
    '  CPU         whole process trees until they are idle again; the comparison that parity-worker makes after a sync is in it.',
  ].join('\n');
}

/** Void when a sync ended too early in any round: the figures would be of publishes with half a sync beside them. */
function publishes({ rounds }: MirrorResult): string {
  const columns = ['operations', 'perSecond', 'p50', 'p95', 'p99', 'otherCores'] as const;
  const row = (name: string, turns: readonly Turn[]) => [
    name,
    ...columns.map(column => shownSpread(spreadOf(turns.map(turn => turn[column])))),
  ];
  const [without, during] = [rounds.map(round => round.without), rounds.map(round => round.during)];
  const isVoid = rounds.some(round => !round.covered || round.during.operations < LEAST);
  const ratios = ['p50', 'p95', 'p99'] as const;
  const beside = isVoid
    ? [['with a sync', 'VOID: a sync did not last as long as its turn']]
    : [
        row('with a sync', during),
        [
          'with / without',
          '',
          '',
          ...ratios.map(column => shownSpread(spreadOf(rounds.map(round => round.during[column] / round.without[column])))),
          '',
        ],
        [
          'ranges',
          '',
          '',
          ...ratios.map(column =>
            rangesOf(
              without.map(turn => turn[column]),
              during.map(turn => turn[column]),
            ),
          ),
          '',
        ],
      ];
  return table(
    ['publish 4 KiB, c=1', 'operations', 'operations/s', 'p50', 'p95', 'p99', 'cores used by others'],
    [row('without a sync', without), ...beside],
  );
}

function rangesOf(without: readonly number[], during: readonly number[]): string {
  const verdict = verdictOf(spreadOf(without), scaled(spreadOf(during), 1));
  return { won: 'slower', lost: 'faster', even: 'overlap' }[verdict];
}

function syncs({ rounds, small, large }: MirrorResult): string {
  const row = (name: string, list: readonly SyncFigures[]) => {
    const of = (value: (sync: SyncFigures) => number) => shownSpread(spreadOf(list.map(value)));
    return [name, of(sync => sync.seconds), of(sync => sync.versions / sync.seconds), of(sync => sync.bytes / 1e6 / sync.seconds)];
  };
  return table(
    ['sync to a fresh mirror', 'seconds', 'versions/s', 'MB/s'],
    [
      row(
        `${shownBytes(small)}, alone`,
        rounds.map(round => round.small.sync),
      ),
      row(
        `${shownBytes(large)}, alone`,
        rounds.map(round => round.large.sync),
      ),
      row(
        'both, beside publishes',
        rounds.map(round => round.sync),
      ),
    ],
  );
}

/** CPU time of the syncs alone, by process: medians over the rounds. */
function costs({ rounds, small, large }: MirrorResult): string {
  const names = Object.keys(rounds[0]?.small.turn.cpu ?? {});
  const others = names.filter(name => name !== WORKER && !SERVERS.includes(name));
  const row = (label: string, counted: readonly string[]) => {
    const median = (value: (round: MirrorRound) => number) => shown(spreadOf(rounds.map(value)).median);
    const seconds = ({ turn }: MeasuredSync) => total(counted.flatMap(name => turn.cpu[name] ?? []));
    return [
      label,
      median(round => (seconds(round.small) / round.small.sync.versions) * 1000),
      median(round => seconds(round.large) / (round.large.sync.bytes / GIB)),
      median(round => counted.reduce((sum, name) => sum + (round.large.turn.peakMib[name] ?? 0), 0)),
    ];
  };
  return table(
    ['CPU of a sync alone', `s per 1,000 of ${shownBytes(small)}`, `s per GiB at ${shownBytes(large)}`, 'peak MiB'],
    [
      row(WORKER, [WORKER]),
      row('other processes of the product', others),
      ...others.map(name => row(`  ${name}`, [name])),
      ...SERVERS.map(name => row(name, [name])),
    ],
  );
}
