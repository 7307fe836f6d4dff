import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { NATS_ADMIN } from '../../stack/workspace';
import { benchFolder } from '../bench-folder';
import { databaseSettings } from '../database-settings';
import { describeMachine, touchVolume } from '../machine';
import { mirrorReport, type MirrorResult, type MirrorRound } from '../mirror-report';
import { MirrorsUnderTest } from '../mirrors-under-test';
import { NatsLine } from '../nats-line';
import { publishAll } from '../publish-turn';
import { RegistryUnderTest } from '../registry-under-test';
import { SignedPacks } from '../signed-packs';
import { BackgroundSync, covers, figuresOf, measureSync } from '../sync-turn';
import { shownBytes } from '../table';

export interface MirrorOptions {
  readonly rounds: number;
  /** Publishes of a turn without a sync, and at the most of one with a sync. */
  readonly count: number;
  /** Small versions that are mirrored. */
  readonly versions: number;
  readonly json?: string;
  readonly signal: AbortSignal;
}

interface Sides {
  readonly registry: RegistryUnderTest;
  readonly packs: SignedPacks;
  readonly mirrors: MirrorsUnderTest;
  readonly options: MirrorOptions;
}

const SMALL = { family: 'small', bytes: 4 * 1024 };
const LARGE = { family: 'large', bytes: 8 * 1024 ** 2 };
const LARGE_VERSIONS = 16;
/** What is published while a sync goes on is of packs that no mirror selects. */
const LIVE = { family: 'live', bytes: 4 * 1024 };
const WARM_UP = 100;
const MANY = 8;
const AHEAD = 200;
/** On a disk, a version of a small pack takes a block for each of its six objects, and the names of these. */
const DISK_BYTES = 32 * 1024;

/** Publishes with and without the sync of a mirror under way, in turns; and syncs alone. */
export async function runMirror(options: MirrorOptions): Promise<void> {
  const folder = benchFolder();
  const packs = new SignedPacks(join(folder, 'made'));
  const registry = await RegistryUnderTest.start(folder, packs.publicKey, options.signal);
  try {
    const machine = describeMachine(registry.stack.dataDir);
    const mirrors = await MirrorsUnderTest.open(registry);
    const sides: Sides = { registry, packs, mirrors, options };
    await fill(sides);
    const rounds: MirrorRound[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      const done = await measureRound(sides);
      say(
        `round ${round} of ${options.rounds}: p50 ${done.without.p50.toFixed(1)} ms without, ${done.during.p50.toFixed(1)} ms with a sync; ` +
          `${(done.small.sync.versions / done.small.sync.seconds).toFixed(0)} versions/s; others used ${done.without.otherCores.toFixed(2)} processors`,
      );
      rounds.push(done);
    }
    mirrors.close();
    const result: MirrorResult = { machine, ...(await serversOf(registry)), small: SMALL.bytes, large: LARGE.bytes, rounds };
    console.log(mirrorReport(result));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await registry.stack.destroy();
  }
}

/** Publishes what is mirrored, as fast as it goes. */
async function fill({ registry, packs, options: { versions, signal } }: Sides): Promise<void> {
  say(`\npublishing ${versions} versions of ${shownBytes(SMALL.bytes)} and ${LARGE_VERSIONS} of ${shownBytes(LARGE.bytes)}`);
  for (let left = versions; left > 0; left -= AHEAD) {
    const made = await packs.make(Math.min(left, AHEAD), SMALL.bytes, SMALL.family);
    await publishAll(registry, made, { clients: MANY, bytes: 0, signal });
  }
  await publishAll(registry, await packs.make(LARGE_VERSIONS, LARGE.bytes, LARGE.family), { clients: 2, bytes: 0, signal });
  await publishAll(registry, await packs.make(WARM_UP, LIVE.bytes, LIVE.family), { clients: 1, bytes: 0, signal });
}

async function measureRound({ registry, packs, mirrors, options: { count, versions, signal } }: Sides): Promise<MirrorRound> {
  const { roots, stack } = registry;
  const [forWithout, forDuring] = [await packs.make(count, LIVE.bytes, LIVE.family), await packs.make(count, LIVE.bytes, LIVE.family)];
  const selected = (...families: readonly { family: string }[]) => ({ packIds: families.map(({ family }) => `${family}-*`) });
  const touch = () => touchVolume(stack.dataDir, (versions + count) * DISK_BYTES + LARGE_VERSIONS * LARGE.bytes);
  touch();
  const without = await publishAll(registry, forWithout, { clients: 1, bytes: LIVE.bytes, signal });
  touch();
  let background: BackgroundSync | undefined;
  const during = await publishAll(registry, forDuring, {
    clients: 1,
    bytes: LIVE.bytes,
    signal,
    begin: async () => void (background = await BackgroundSync.start(mirrors, selected(SMALL, LARGE), signal)),
    goOn: () => background?.goesOn ?? false,
  });
  const job = await background?.end();
  if (!job) throw new Error('no sync was under way');
  touch();
  const small = await measureSync(mirrors, selected(SMALL), { roots, signal });
  touch();
  const large = await measureSync(mirrors, selected(LARGE), { roots, signal });
  return { without, during, covered: covers(job, during), sync: figuresOf(job), small, large };
}

async function serversOf({ stack }: RegistryUnderTest): Promise<Pick<MirrorResult, 'database' | 'nats'>> {
  const client = new Client({ connectionString: stack.databaseAdminUrl });
  await client.connect();
  const database = await databaseSettings(client);
  await client.end();
  const line = await NatsLine.open({ url: stack.natsUrl, user: NATS_ADMIN, password: stack.nats.passwords[NATS_ADMIN] ?? '' });
  const nats = line.version;
  line.close();
  return { database, nats };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
