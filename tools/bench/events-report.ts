import { circumstances, type Circumstances } from './circumstances';
import type { BacklogRates } from './event-backlog';
import type { EventDistances } from './event-times';
import type { EventFloorTimes } from './floor-event';
import { percentile, scaled, spreadOf, verdictOf, type Spread } from './statistics';
import { shown, shownSpread, table } from './table';

export interface EventsResult extends Circumstances {
  readonly pauseMs: number;
  /** One list per round. */
  readonly distances: readonly (readonly EventDistances[])[];
  readonly floor: readonly EventFloorTimes[];
  readonly backlog: readonly BacklogRates[];
}

const FLOOR_GOAL = 3;
const DRAIN_GOAL = 5_000;
const STEPS = [
  ['compliance has the event', 'seen'],
  ['audit row committed', 'audited'],
  ['coverage row committed', 'covered'],
  ['mirror job committed', 'planned'],
] as const;

export function eventsReport(result: EventsResult): string {
  return [heading(result), distances(result), floorTable(result), drains(result)].join('\n\n');
}

function heading(result: EventsResult): string {
  const { distances, pauseMs, backlog } = result;
  return [
    '',
    `Events, ${distances.length} rounds in turns; median (lowest-highest round); times in ms`,
    ...circumstances(result),
    `  distances   ${distances[0]?.length ?? 0} publishes of 4 KiB a round, one client, ${pauseMs} ms between them. Each distance is the commit time of the`,
    '              later transaction less that of the publish, as PostgreSQL keeps them (track_commit_timestamp): one clock, no polling. A commit',
    '              time is taken before the flush: the flush of the publish is in the distance, that of the later transaction is not.',
    '  floor       one row into a copy of the outbox, one commit; half of a request and reply of 1 KiB between two processes over NATS.',
    `  backlog     ${backlog[0]?.audited.rows ?? 0} events in the outbox while compliance is stopped; events/s between the first and the last commit.`,
  ].join('\n');
}

function distances({ distances: rounds, floor }: EventsResult): string {
  const sums = spreadOf(floor.map(times => times.sum));
  const rows = STEPS.map(([label, step]) => {
    const values = rounds.map(round => round.flatMap(distance => distance[step] ?? []));
    const at = (share: number) => spreadOf(values.map(list => percentile(list, share)));
    const p50 = values.map(list => percentile(list, 0.5));
    const ratio: Spread = spreadOf(p50.map((time, round) => time / (floor[round]?.sum ?? Number.NaN)));
    return [
      label,
      String(values[0]?.length ?? 0),
      ...[0.5, 0.95, 0.99].map(share => shownSpread(at(share))),
      shownSpread(ratio),
      verdictOf(spreadOf(p50), scaled(sums, FLOOR_GOAL)),
    ];
  });
  return table(['commit ->', 'events', 'p50', 'p95', 'p99', `p50 / floor (goal <= ${FLOOR_GOAL})`, ''], rows);
}

function floorTable({ floor }: EventsResult): string {
  const row = (name: string, part: keyof EventFloorTimes) => [name, shownSpread(spreadOf(floor.map(times => times[part])))];
  return table(['floor, p50', 'ms'], [row('commit', 'commit'), row('one delivery', 'delivery'), row('sum', 'sum')]);
}

function drains({ backlog }: EventsResult): string {
  const row = (name: string, part: keyof BacklogRates) => {
    const rates = spreadOf(backlog.map(rate => rate[part].perSecond));
    const verdict = rates.min >= DRAIN_GOAL ? 'won' : rates.max < DRAIN_GOAL ? 'lost' : 'even';
    return [name, shownSpread(rates), `>= ${shown(DRAIN_GOAL)}`, verdict];
  };
  return table(
    ['backlog', 'events/s', 'goal', ''],
    [row('outbox -> stream', 'relayed'), row('stream -> audit log', 'audited'), row('stream -> coverage', 'covered')],
  );
}
