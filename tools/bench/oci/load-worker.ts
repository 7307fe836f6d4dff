import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection';
import { TURN_MS, type Load, type LoadOrder, type LoadReport, type LoadResult, type Target } from './load';
import { LOADS, type Operation } from './loads';
import { Stock } from './stock';

/** The argument with which the bench runs itself as the process whose clients make the load. */
export const MAKE_LOAD = 'make-load';
const WARM_UPS = 20;
const BYSTANDER_PAUSE_MS = 5;

/** Does one load after another, until the parent is gone. */
export async function makeLoads(): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  const stocks = new Map<string, Stock>();
  for (;;) {
    const [order] = (await once(process, 'message')) as [LoadOrder];
    if (order === 'go') continue;
    try {
      const { prepare: load, target } = order;
      const stock = stocks.get(target.url) ?? new Stock(target);
      stock.reach(target);
      stocks.set(target.url, stock);
      await makeLoad(stock, load, target);
    } catch (error) {
      report({ failed: error instanceof Error ? error.message : String(error) });
    }
  }
}

async function makeLoad(stock: Stock, load: Load, target: Target): Promise<void> {
  const operation = await LOADS[load.kind](stock, load);
  if (!operation) return report({ prepared: false });
  const authorization = load.kind === 'foreign-or-absent' ? target.foreignAuthorization : target.authorization;
  const connections = Array.from({ length: load.clients }, () => stock.connection(authorization));
  if (isRead(load)) {
    for (let at = 0; at < WARM_UPS; at++) await Promise.all(connections.map(connection => operation(connection, at)));
  }
  const bystander = load.kind === 'push-chunked' ? await LOADS['head-manifest'](stock, { ...load, bytes: undefined }) : undefined;
  report({ prepared: true });
  await once(process, 'message');
  const result = await run(load, operation, connections, bystander && { read: bystander, connection: stock.connection() });
  for (const connection of connections) connection.close();
  report({ result });
}

interface Bystander {
  readonly read: Operation;
  readonly connection: Connection;
}

async function run(
  load: Load,
  operation: Operation,
  connections: readonly Connection[],
  bystander: Bystander | undefined,
): Promise<LoadResult> {
  const [times, absentTimes]: [number[], number[]] = [[], []];
  let [next, bytes] = [0, 0];
  const ending = new AbortController();
  const watching = bystander ? bystand(bystander, ending.signal) : Promise.resolve([]);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const splits = load.kind === 'foreign-or-absent';
  const client = async (connection: Connection) => {
    while (next < load.operations && performance.now() - started < TURN_MS) {
      const at = next++;
      const from = performance.now();
      const moved = await operation(connection, at);
      // Added only now: other clients have added theirs meanwhile.
      bytes += moved;
      (splits && at % 2 === 1 ? absentTimes : times).push(performance.now() - from);
    }
  };
  await Promise.all(connections.map(client));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  ending.abort();
  return {
    times,
    seconds,
    bytes,
    clientCpuSeconds: (user + system) / 1e6,
    bystanderTimes: await watching,
    ...(splits && { absentTimes }),
  };
}

/** Somebody else's small reads meanwhile. */
async function bystand({ read, connection }: Bystander, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    const from = performance.now();
    await read(connection, times.length);
    times.push(performance.now() - from);
    await delay(BYSTANDER_PAUSE_MS);
  }
  connection.close();
  return times;
}

function isRead({ kind }: Load): boolean {
  return !['push', 'push-chunked', 'put-manifest', 'grow', 'mixed'].includes(kind);
}

function report(message: LoadReport): void {
  process.send?.(message);
}
