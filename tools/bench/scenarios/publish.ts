import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchFolder } from '../bench-folder';
import { Floor, type FloorTimes } from '../floor';
import { httpClients } from '../http-client';
import { describeMachine, touchVolume } from '../machine';
import { DockerRegistry } from '../peer-docker-registry';
import { profileProcesses } from '../profile-publish';
import { publishReport, type PublishResult, type SizeResult } from '../publish-report';
import { publishAll } from '../publish-turn';
import { RegistryUnderTest } from '../registry-under-test';
import { SignedPacks, type SignedPack } from '../signed-packs';
import { shownBytes } from '../table';
import { measureTurn, type Turn } from '../turn';

export interface PublishOptions {
  readonly rounds: number;
  /** Operations of a turn at the smallest size. */
  readonly count: number;
  readonly json?: string;
  readonly profile?: string;
  readonly signal: AbortSignal;
}

interface Sides {
  readonly registry: RegistryUnderTest;
  readonly packs: SignedPacks;
  readonly floor: Floor;
  readonly peer: DockerRegistry | undefined;
  readonly options: PublishOptions;
}

interface Round {
  readonly oneClient: Turn;
  readonly floor: FloorTimes;
  readonly peer: Turn | undefined;
  readonly manyClients: Turn;
}

const SIZES = [
  { bytes: 4 * 1024, share: 1 },
  { bytes: 1024 ** 2, share: 0.25 },
];
const MANY = 8;
/** Publishes before the first round: compilers, caches and connections are then where they stay. */
const WARM_UP = 300;
const WARM_UP_FLOOR = 50;
/** Written for each byte that is pushed: the objects of the registry, those of the floor, and the peer's. */
const TOUCH_FACTOR = 1.3;

/** A signed publish beside the sum of what it cannot do without, and beside the peer's unsigned push of the same bytes; in turns. */
export async function runPublish(options: PublishOptions): Promise<void> {
  const folder = benchFolder();
  const packs = new SignedPacks(join(folder, 'made'));
  const registry = await RegistryUnderTest.start(folder, packs.publicKey, options.signal);
  try {
    await measureAll(registry, packs, options);
  } finally {
    await registry.stack.destroy();
  }
}

async function measureAll(registry: RegistryUnderTest, packs: SignedPacks, options: PublishOptions): Promise<void> {
  const folder = registry.stack.dataDir;
  const machine = describeMachine(folder);
  const peerVersion = DockerRegistry.version();
  const peer = peerVersion === undefined ? undefined : await DockerRegistry.start(join(folder, 'peer'));
  try {
    const first = await warmUp(registry, packs, options);
    const floor = await Floor.open(registry, packs.publicKey, first);
    try {
      const sides: Sides = { registry, packs, floor, peer, options };
      await warmUpOthers(sides);
      const sizes: SizeResult[] = [];
      for (const size of SIZES) sizes.push(await measureSize(sides, size));
      const database = await floor.committing.settings();
      const rows = floor.committing.rowCount;
      const result: PublishResult = { machine, database, nats: floor.natsVersion, rows, peer: peerVersion, clients: MANY, sizes };
      console.log(publishReport(result));
      if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
    } finally {
      await floor.close();
    }
    if (options.profile) await profileProcesses(registry, packs, resolve(options.profile), options.signal);
  } finally {
    await peer?.stop();
  }
}

async function warmUp(registry: RegistryUnderTest, packs: SignedPacks, { signal }: PublishOptions): Promise<SignedPack> {
  say(`\nwarming up: ${WARM_UP} publishes`);
  const made = await packs.make(WARM_UP, SIZES[0]?.bytes ?? 0);
  await publishAll(registry, made, { clients: MANY, bytes: 0, signal });
  const [first] = made;
  if (!first) throw new Error('nothing was published');
  return first;
}

async function warmUpOthers({ packs, floor, peer, options }: Sides): Promise<void> {
  const made = await packs.make(WARM_UP_FLOOR, SIZES[0]?.bytes ?? 0);
  await floor.measure(made, options.signal);
  if (!peer) return;
  const clients = httpClients(1);
  await peer.prepare(clients.of(0));
  for (const pack of made) await peer.push(clients.of(0), pack);
  clients.close();
}

async function measureSize(sides: Sides, { bytes, share }: { readonly bytes: number; readonly share: number }): Promise<SizeResult> {
  const { rounds, count } = sides.options;
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const done = await measureRound(sides, Math.max(1, Math.ceil(count * share)), bytes);
    const peer = done.peer ? `, peer ${done.peer.p50.toFixed(1)}` : '';
    say(
      `${shownBytes(bytes)}, round ${round} of ${rounds}: p50 ${done.oneClient.p50.toFixed(1)} ms, floor ${done.floor.sum.toFixed(1)}${peer}; ` +
        `c=${MANY} ${done.manyClients.perSecond.toFixed(0)}/s; others used ${done.oneClient.otherCores.toFixed(2)} processors`,
    );
    measured.push(done);
  }
  return {
    bytes,
    oneClient: measured.map(round => round.oneClient),
    manyClients: measured.map(round => round.manyClients),
    floor: measured.map(round => round.floor),
    peer: sides.peer && measured.flatMap(round => round.peer ?? []),
  };
}

async function measureRound(
  { registry, packs, floor, peer, options: { signal } }: Sides,
  operations: number,
  bytes: number,
): Promise<Round> {
  const forOne = await packs.make(operations, bytes);
  const touch = () => touchVolume(registry.stack.dataDir, operations * bytes * TOUCH_FACTOR);
  touch();
  const oneClient = await publishAll(registry, forOne, { clients: 1, bytes, signal });
  touch();
  const floorTimes = await floor.measure(forOne, signal);
  touch();
  const pushed = peer && (await pushAll(peer, forOne, bytes, signal));
  const forMany = await packs.make(operations, bytes);
  touch();
  const manyClients = await publishAll(registry, forMany, { clients: MANY, bytes, signal });
  return { oneClient, floor: floorTimes, peer: pushed, manyClients };
}

async function pushAll(peer: DockerRegistry, made: readonly SignedPack[], bytes: number, signal: AbortSignal): Promise<Turn> {
  const http = httpClients(1);
  const operate = async (client: number, at: number) => {
    const pack = made[at];
    if (pack) await peer.push(http.of(client), pack);
  };
  try {
    return await measureTurn({ operations: made.length, clients: 1, bytes, roots: { 'docker-registry': peer.pid }, signal, operate });
  } finally {
    http.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
