import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { benchFolder } from '../bench-folder';
import { measureBacklog, type BacklogRates } from '../event-backlog';
import { EventTimes, type EventDistances } from '../event-times';
import { eventsReport, type EventsResult } from '../events-report';
import { EventFloor, type EventFloorTimes } from '../floor-event';
import { describeMachine } from '../machine';
import { MirrorsUnderTest } from '../mirrors-under-test';
import { publishAll } from '../publish-turn';
import { RegistryUnderTest } from '../registry-under-test';
import { SignedPacks, type SignedPack } from '../signed-packs';

export interface EventsOptions {
  readonly rounds: number;
  /** Publishes of a turn. */
  readonly count: number;
  /** Events of the backlog of a turn. */
  readonly backlog: number;
  readonly json?: string;
  readonly signal: AbortSignal;
}

interface Sides {
  readonly registry: RegistryUnderTest;
  readonly packs: SignedPacks;
  readonly times: EventTimes;
  readonly floor: EventFloor;
  readonly options: EventsOptions;
}

const BYTES = 4 * 1024;
const WARM_UP = 300;
const MANY = 8;
/** Between two publishes: the event of the first has then arrived everywhere, and the registry is at rest. */
const PAUSE_MS = 40;
/** What the mirror selects: a quarter of the packs, so that its syncs, which are not measured here, are few. */
const MIRRORED = ['bench-0', 'bench-1'];
const ARRIVE_WITHIN_MS = 30_000;
const LOOK_MS = 200;

/** How far what follows from an event lies behind the commit that caused it, and how fast a backlog of events is taken. */
export async function runEvents(options: EventsOptions): Promise<void> {
  const folder = benchFolder();
  const packs = new SignedPacks(join(folder, 'made'));
  const registry = await RegistryUnderTest.start(folder, packs.publicKey, options.signal);
  try {
    const machine = describeMachine(registry.stack.dataDir);
    const times = await EventTimes.open(registry.stack);
    await registry.untilReady(options.signal);
    const floor = await EventFloor.open(registry.stack);
    try {
      const rounds = await measureRounds({ registry, packs, times, floor, options });
      const result: EventsResult = { machine, database: await times.settings(), nats: floor.natsVersion, pauseMs: PAUSE_MS, ...rounds };
      console.log(eventsReport(result));
      if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
    } finally {
      await floor.close();
      await times.close();
    }
  } finally {
    await registry.stack.destroy();
  }
}

async function measureRounds(sides: Sides): Promise<Pick<EventsResult, 'distances' | 'floor' | 'backlog'>> {
  const { registry, packs, times, floor, options } = sides;
  const { rounds, count, signal } = options;
  say(`\nwarming up: ${WARM_UP} publishes`);
  await publishAll(registry, await packs.make(WARM_UP, BYTES), { clients: MANY, bytes: 0, signal });
  await floor.measure(WARM_UP, signal);
  await (await MirrorsUnderTest.open(registry)).create({ packIds: MIRRORED });
  const measured: { distances: EventDistances[][]; floor: EventFloorTimes[]; backlog: BacklogRates[] } = {
    distances: [],
    floor: [],
    backlog: [],
  };
  for (let round = 1; round <= rounds; round++) {
    const made = await packs.make(count, BYTES);
    const turn = await publishAll(registry, made, { clients: 1, bytes: BYTES, pauseMs: PAUSE_MS, signal });
    const arrived = await untilArrived(times, made, signal);
    const floorTimes = await floor.measure(count, signal);
    measured.distances.push(arrived);
    measured.floor.push(floorTimes);
    say(
      `round ${round} of ${rounds}: ${arrived.length} events, floor ${floorTimes.sum.toFixed(2)} ms; others used ${turn.otherCores.toFixed(2)} processors`,
    );
  }
  for (let round = 1; round <= rounds; round++) {
    const rates = await measureBacklog(times, registry.stack, { round, count: options.backlog, signal });
    measured.backlog.push(rates);
    say(`backlog ${round} of ${rounds}: audit ${rates.audited.perSecond.toFixed(0)}/s, coverage ${rates.covered.perSecond.toFixed(0)}/s`);
  }
  return measured;
}

/** Nothing is measured by this waiting: the times are in the database. */
async function untilArrived(times: EventTimes, made: readonly SignedPack[], signal: AbortSignal): Promise<EventDistances[]> {
  const mirrored = made.filter(({ packId }) => MIRRORED.includes(packId)).length;
  const deadline = performance.now() + ARRIVE_WITHIN_MS;
  while (performance.now() < deadline) {
    const arrived = await times.of(made);
    if (arrived.length === made.length && arrived.filter(({ planned }) => planned !== undefined).length === mirrored) return arrived;
    await delay(LOOK_MS, undefined, { signal });
  }
  throw new Error(`not every event had arrived ${ARRIVE_WITHIN_MS / 1000} seconds after the last publish`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
