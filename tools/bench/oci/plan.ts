import type { Load } from './load';

export const SUITES = ['push', 'pull', 'manifest', 'tags', 'referrers', 'growth', 'mixed', 'isolation'] as const;
export type Suite = (typeof SUITES)[number];

/** What is compared: operations or bytes a second, of which more is better, or the time of one operation. */
export type Measure = 'perSecond' | 'megabytesPerSecond' | 'p50';

/** A row of the table: one load on every side, in turns. */
export interface Row {
  readonly suite: Suite;
  readonly title: string;
  readonly load: Load;
  readonly measure: Measure;
  /** Our figure divided by a peer's: at least so much, or for times at most; with the mark it has among the qualities. */
  readonly goals: Readonly<Record<string, number>>;
  readonly mark?: string;
}

const KIB = 1024;
const MIB = 1024 ** 2;
const MANY = 8;
const ENTRIES = [10, 1_000, 10_000];
const MOST_ENTRIES = 100_000;
const [D2, D3] = ['docker-registry', 'distribution'];

export function planOf(suites: readonly Suite[], full: boolean): Row[] {
  const rows = [...pushes(full), ...pulls(full), ...manifests(), ...mixes(full), ...lists(full)];
  return rows.filter(({ suite }) => suites.includes(suite));
}

function goals(toD2: number, toD3: number): Readonly<Record<string, number>> {
  return { [D2 as string]: toD2, [D3 as string]: toD3 };
}

function pushes(full: boolean): Row[] {
  const row = (size: string, bytes: number, clients: number, operations: number, more: Partial<Row> = {}): Row => ({
    suite: 'push',
    title: `push ${size}, c=${clients}`,
    load: { kind: bytes >= 100 * MIB ? 'push-chunked' : 'push', clients, operations, bytes },
    measure: bytes >= MIB ? 'megabytesPerSecond' : 'perSecond',
    goals: {},
    ...more,
  });
  return [
    row('4 KiB', 4 * KIB, 1, 300, { measure: 'p50', goals: goals(0.4, 0.6), mark: 'Q4' }),
    row('4 KiB', 4 * KIB, MANY, 600, { goals: goals(2.5, 1.8), mark: 'Q4' }),
    row('1 MiB', MIB, MANY, 160, { goals: goals(2, 1.5), mark: 'Q5' }),
    row('10 MiB', 10 * MIB, 1, 24, { goals: goals(1.1, 1.1), mark: 'Q6' }),
    row('10 MiB', 10 * MIB, MANY, 40, { goals: goals(1.2, 1.1), mark: 'Q6' }),
    row('100 MiB chunked', 100 * MIB, MANY, 8, { goals: goals(1.2, 1.1), mark: 'Q7' }),
    ...(full
      ? [
          row('4 KiB', 4 * KIB, 32, 960),
          row('1 MiB', MIB, 1, 100),
          row('1 MiB', MIB, 32, 256),
          row('10 MiB', 10 * MIB, 32, 64, { mark: 'Q13' }),
          row('100 MiB chunked', 100 * MIB, 1, 4),
          row('100 MiB chunked', 100 * MIB, 32, 32, { mark: 'Q13' }),
        ]
      : []),
  ];
}

function pulls(full: boolean): Row[] {
  const row = (size: string, bytes: number, clients: number, operations: number, more: Partial<Row> = {}): Row => ({
    suite: 'pull',
    title: `pull ${size}, c=${clients}`,
    load: { kind: 'pull', clients, operations, bytes },
    measure: bytes >= MIB ? 'megabytesPerSecond' : 'perSecond',
    goals: {},
    ...more,
  });
  return [
    row('4 KiB', 4 * KIB, MANY, 4000),
    row('1 MiB', MIB, MANY, 800, { goals: goals(3.5, 2.5), mark: 'Q8' }),
    row('10 MiB', 10 * MIB, MANY, 160, { goals: goals(1.3, 1.2), mark: 'Q8' }),
    row('100 MiB', 100 * MIB, MANY, 24, { goals: goals(1.1, 1), mark: 'Q8' }),
    ...(full
      ? [1, 32].flatMap(clients => [
          row('4 KiB', 4 * KIB, clients, 3000),
          row('1 MiB', MIB, clients, 600),
          row('10 MiB', 10 * MIB, clients, 128, { mark: 'Q13' }),
          row('100 MiB', 100 * MIB, clients, Math.max(4, clients), { mark: 'Q13' }),
        ])
      : []),
  ];
}

function manifests(): Row[] {
  const row = (title: string, kind: Load['kind'], operations: number, more: Partial<Row>): Row => ({
    suite: 'manifest',
    title: `${title}, c=${MANY}`,
    load: { kind, clients: MANY, operations },
    measure: 'perSecond',
    goals: {},
    ...more,
  });
  return [
    row('GET manifest by tag', 'get-by-tag', 20_000, { goals: goals(10, 2), mark: 'Q1' }),
    row('GET manifest by digest', 'get-by-digest', 20_000, { goals: goals(20, 4), mark: 'Q2' }),
    row('HEAD manifest', 'head-manifest', 20_000, { goals: goals(12, 2.5), mark: 'Q3' }),
    row('HEAD blob', 'head-blob', 20_000, { goals: goals(12, 2.5), mark: 'Q3' }),
    row('HEAD missing blob', 'head-missing', 20_000, { goals: goals(5, 1), mark: 'Q3' }),
    row('PUT manifest', 'put-manifest', 2_000, { goals: goals(6, 4), mark: 'Q10' }),
  ];
}

function mixes(full: boolean): Row[] {
  return (full ? [MANY, 32] : [MANY]).map(clients => ({
    suite: 'mixed',
    title: `75 % pull, 25 % push of 10 MiB, c=${clients}`,
    load: { kind: 'mixed', clients, operations: 80, bytes: 10 * MIB },
    measure: 'megabytesPerSecond',
    ...(clients === MANY ? { goals: goals(1.1, 1), mark: 'Q17' } : { goals: {} }),
  }));
}

/** In the order in which their repositories grow. */
function lists(full: boolean): Row[] {
  const sizes = full ? [...ENTRIES, MOST_ENTRIES] : ENTRIES;
  return sizes.flatMap(entries => {
    const row = (suite: Suite, title: string, kind: Load['kind'], operations: number, more: Partial<Row> = {}): Row => ({
      suite,
      title: `${title} at ${entries.toLocaleString('en')}`,
      load: { kind, clients: 1, operations, entries },
      measure: 'p50',
      goals: {},
      ...more,
    });
    const isMeasured = entries === 10_000;
    return [
      row('tags', 'tags, n=100', 'list-tags', 300, isMeasured ? { goals: goals(0.1, 0.1), mark: 'Q9' } : {}),
      row('referrers', 'referrers, n=100', 'list-referrers', 300, isMeasured ? { mark: 'Q9' } : {}),
      ...(entries >= 1_000 ? [row('growth', 'PUT manifest', 'grow', 100, { mark: 'Q10' })] : []),
    ];
  });
}
