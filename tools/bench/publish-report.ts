import { circumstances, type Circumstances } from './circumstances';
import type { FloorTimes } from './floor';
import { SERVERS, total } from './processes';
import { scaled, spreadOf, verdictOf, type Spread } from './statistics';
import { shown, shownBytes, shownSpread, table } from './table';
import type { Turn } from './turn';

export interface SizeResult {
  readonly bytes: number;
  /** One of each per round. */
  readonly oneClient: readonly Turn[];
  readonly manyClients: readonly Turn[];
  readonly floor: readonly FloorTimes[];
  /** Absent when the peer is not installed. */
  readonly peer: readonly Turn[] | undefined;
}

export interface PublishResult extends Circumstances {
  /** Rows of the floor's transaction. */
  readonly rows: number;
  readonly peer: string | undefined;
  /** Clients of the turns with many. */
  readonly clients: number;
  readonly sizes: readonly SizeResult[];
}

const FLOOR_GOAL = 2;
const PEER_GOAL = 0.7;
const GIB = 1024 ** 3;

export function publishReport(result: PublishResult): string {
  return [heading(result), ...result.sizes.map(size => sizeReport(result, size))].join('\n\n');
}

function heading(result: PublishResult): string {
  return [
    '',
    `Signed publish, ${result.sizes[0]?.oneClient.length ?? 0} rounds in turns; median (lowest-highest round); times in ms`,
    ...circumstances(result, result.peer ?? '-'),
    '  peer        unsigned push (POST, PUT, PUT manifest), no token, no log; fsync of files, none of folders.',
    `  floor       objects: the six of a publish through FileBlobStore, all at once; verify: digest, walk and signature in memory;`,
    `              commit: ${result.rows} rows, one statement, one transaction, no row-level security, no foreign keys; hops: two, 1 KiB each way.`,
    '  CPU         whole process trees until they are idle again; PostgreSQL counts shared pages once for each of its processes.',
  ].join('\n');
}

function sizeReport(result: PublishResult, size: SizeResult): string {
  const parts = [
    `${shownBytes(size.bytes)}, ${size.oneClient[0]?.operations ?? 0} operations a turn`,
    speeds(result, size),
    costs(size),
    floorTable(size),
    verdicts(result, size),
  ];
  return parts.join('\n\n');
}

function speeds({ clients }: PublishResult, { oneClient, manyClients, peer }: SizeResult): string {
  const columns = ['perSecond', 'megabytesPerSecond', 'p50', 'p95', 'p99', 'clientCores', 'otherCores'] as const;
  const row = (name: string, turns: readonly Turn[]) => [
    name,
    ...columns.map(column => shownSpread(spreadOf(turns.map(turn => turn[column])))),
  ];
  return table(
    ['', 'operations/s', 'MB/s', 'p50', 'p95', 'p99', 'client cores', 'cores used by others'],
    [row('publish c=1', oneClient), row(`publish c=${clients}`, manyClients), ...(peer ? [row('docker-registry c=1', peer)] : [])],
  );
}

/** CPU time by process, of one client and of many: medians over the rounds. */
function costs({ bytes, oneClient, manyClients, peer }: SizeResult): string {
  const names = Object.keys(oneClient[0]?.cpu ?? {});
  const product = names.filter(name => !SERVERS.includes(name));
  const row = (label: string, turns: readonly Turn[], counted: readonly string[]) => {
    const of = (value: (turn: Turn) => number) => shown(spreadOf(turns.map(value)).median);
    const times = (turn: Turn) => counted.flatMap(name => turn.cpu[name] ?? []);
    return [
      label,
      of(turn => (total(times(turn)) / turn.operations) * 1000),
      of(turn => (times(turn).reduce((sum, { system }) => sum + system, 0) / turn.operations) * 1000),
      of(turn => total(times(turn)) / ((turn.operations * bytes) / GIB)),
      of(turn => counted.reduce((sum, name) => sum + (turn.peakMib[name] ?? 0), 0)),
    ];
  };
  return table(
    ['CPU', 's per 1,000', 'of it system', 's per GiB', 'peak MiB'],
    [
      row('product, c=1', oneClient, product),
      ...names.map(name => row(`  ${name}`, oneClient, [name])),
      row('product, many clients', manyClients, product),
      ...SERVERS.map(name => row(`  ${name}`, manyClients, [name])),
      ...(peer ? [row('docker-registry, c=1', peer, ['docker-registry'])] : []),
    ],
  );
}

function floorTable({ floor }: SizeResult): string {
  const row = (name: string, part: keyof FloorTimes) => [name, shownSpread(spreadOf(floor.map(times => times[part])))];
  return table(
    ['floor, p50', 'ms'],
    [
      row('objects, all at once', 'objects'),
      row('verify', 'verify'),
      row('commit', 'commit'),
      row('two hops', 'hops'),
      row('sum', 'sum'),
      row('(objects in two groups)', 'objectsInTwoGroups'),
      row('(bundle alone)', 'bundleAlone'),
    ],
  );
}

function verdicts({ peer: peerVersion }: PublishResult, { oneClient, floor, peer }: SizeResult): string {
  const ours = oneClient.map(turn => turn.p50);
  const sums = floor.map(times => times.sum);
  const rows = [compared('publish p50 / floor', ours, sums, FLOOR_GOAL)];
  const pushes = peer?.map(turn => turn.p50);
  if (pushes) rows.push(compared('publish p50 / docker-registry push p50', ours, pushes, PEER_GOAL));
  const skipped = peerVersion === undefined ? '\n  skipped: docker-registry is not installed (apt-get install docker-registry)' : '';
  return table(['c=1', 'ratio', 'goal', ''], rows) + skipped;
}

/** Won or lost only when the ranges of the rounds do not touch. */
function compared(name: string, ours: readonly number[], others: readonly number[], goal: number): string[] {
  const ratios: Spread = spreadOf(ours.map((time, at) => time / (others[at] ?? Number.NaN)));
  return [name, shownSpread(ratios), `<= ${goal}`, verdictOf(spreadOf(ours), scaled(spreadOf(others), goal))];
}
