import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { PROCESSES, type MirrorResponse } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { PartName } from '../tools/stack/stack';
import type { Caller } from './caller';
import { allVersions, expectAudited, expectBytesOnDisk, expectJudged, expectKept, wholeAmong } from './client-log-checker';
import { addMirror, parityOf } from './mirror-calls';
import { ImageLayout } from './mirror-files';
import { digestOf } from './pack-bundle';
import { PublishingClient, seeded } from './publishing-client';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const VICTIMS: readonly PartName[] = [...PROCESSES, 'nats-server', 'postgres'];
/** `SEED=… npm test -- test-e2e/kill-anywhere` repeats a run; TEST_SCALE=10 makes ten times as many faults. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const SCALE = Math.max(1, Math.round(Number(process.env.TEST_SCALE ?? 1)));
const WORKERS = 4;
const READY_WITHIN_MS = 10_000;
/** What a worker that is gone held is another's after this time. */
const LEASES = { MIRROR_LEASE_MS: '1500', PARITY_LEASE_MS: '1500' };

const key = new SigningKey('release');
const random = seeded(SEED);
let registry: Registry;
let tenant: Caller;
let client: PublishingClient;
let mirror: MirrorResponse;

beforeAll(async () => {
  console.log(`seed ${SEED}: SEED=${SEED} npm test -- test-e2e/kill-anywhere`);
  registry = await Registry.start(LEASES);
  tenant = await registry.caller();
  await tenant.accept(key);
  mirror = await addMirror(tenant);
  client = new PublishingClient(tenant, key, random);
});

afterAll(() => registry.end());

async function allReady(): Promise<void> {
  for (const process of PROCESSES) expect([process, (await fetch(`${registry.urlOf(process)}/readyz`)).status]).toEqual([process, 200]);
}

/** Waits until `more` further publishes were acknowledged. */
async function progress(more: number): Promise<void> {
  const wanted = client.acknowledged.length + more;
  await eventually(() => expect(client.acknowledged.length).toBeGreaterThanOrEqual(wanted), 30_000);
}

/** While something is being published, the process is gone without warning; some time later it is started again. */
async function fault(victim: PartName): Promise<{ readyMs: number }> {
  await progress(2);
  await delay(random() * 150);
  await eventually(() => expect(client.inFlight).toBeGreaterThan(0));
  await registry.part(victim).kill('SIGKILL');
  await delay(random() * 600);
  const started = performance.now();
  await registry.part(victim).start();
  await eventually(allReady, READY_WITHIN_MS);
  return { readyMs: performance.now() - started };
}

/** While something is being published, the process stands still for a while, as in a long collection or on a stalled disk. */
async function pause(victim: PartName): Promise<void> {
  await progress(1);
  await registry.part(victim).kill('SIGSTOP');
  await delay(200 + random() * 800);
  await registry.part(victim).kill('SIGCONT');
  await eventually(allReady, READY_WITHIN_MS);
}

/** Readers who look while processes die: right bytes or no answer, and never that something acknowledged is not there. */
async function readWhile(running: () => boolean): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (; running(); await delay(50)) {
    const known = client.acknowledged;
    const entry = known[Math.floor(random() * known.length)];
    if (!entry) continue;
    const { packId, version, digest } = entry.bundle;
    const answer = await tenant.bundle(packId, version).catch(() => undefined);
    if (answer?.status === 200 && digestOf(answer.bytes) !== digest) wrong.push(`${packId}@${version} has other bytes`);
    if (answer && answer.status !== 200 && answer.status !== 503)
      wrong.push(`${packId}@${version} answers ${answer.status} ${answer.body.code}`);
  }
  return wrong;
}

describe('processes are killed while packs are published', () => {
  const rounds = Array.from({ length: SCALE }, () => VICTIMS).flat();
  let misread: readonly string[] = [];

  it(
    `each in turn, others stand still between (seed ${process.env.SEED === undefined ? 'printed above' : SEED}), and each is ready within 10 s`,
    async () => {
      let running = true;
      const reader = readWhile(() => running);
      client.start(WORKERS);
      for (const victim of rounds.toSorted(() => random() - 0.5)) {
        const { readyMs } = await fault(victim);
        expect(readyMs).toBeLessThan(READY_WITHIN_MS);
        await pause(VICTIMS[Math.floor(random() * VICTIMS.length)] ?? victim);
      }
      await progress(2);
      await client.stop();
      running = false;
      misread = await reader;
    },
    10_000 * rounds.length,
  );

  it('no client got an answer other than published, or to try again', () => {
    expect(client.unexpected).toEqual([]);
    expect(client.acknowledged.length).toBeGreaterThan(rounds.length * 2);
  });

  it('no reader ever got wrong bytes, or was told that something acknowledged is not there', () => {
    expect(misread).toEqual([]);
  });

  it('everything acknowledged is there with its bytes', () => expectKept(tenant, client.log));

  it('everything else is there as a whole or not at all, and the same request again makes it whole', async () => {
    const open = client.log.filter(({ acknowledged }) => !acknowledged);
    const there = await wholeAmong(tenant, open);
    for (const entry of open) {
      await client.attempt(entry);
      expect([entry.idempotencyKey, entry.answers.at(-1)]).toEqual([entry.idempotencyKey, '201']);
    }
    await expectKept(tenant, open);
    console.log(
      `${client.log.length} publishes, ${client.log.length - open.length} acknowledged at once; of the others ${there.length} of ${open.length} were there`,
    );
  });

  it('nothing is served without the verdict that accepted it', async () => {
    const versions = await allVersions(tenant);
    expect(versions.map(({ digest }) => digest).toSorted()).toEqual(client.log.map(({ bundle }) => bundle.digest).toSorted());
    expectJudged(versions);
  });

  it('a mirror of everything ends up whole and in step, and each of its syncs has ended once', async () => {
    await eventually(async () => expect((await parityOf(tenant, mirror)).inStep).toBe(true), 30_000);
    const layout = new ImageLayout(join(registry.facts.dataDir, 'mirrors', mirror.tenant, mirror.location));
    layout.proveAll();
    const shown = layout.state.versions.map(({ bundle }) => bundle.digest);
    expect(shown.toSorted()).toEqual(client.log.map(({ bundle }) => bundle.digest).toSorted());
    const jobs = await registry.sql<{ id: string; state: string }>('select id, state from mirror.jobs where tenant = $1', [tenant.tenant]);
    expect(jobs.filter(({ state }) => state === 'queued' || state === 'running')).toEqual([]);
    await eventually(async () => {
      const told = (await tenant.audit()).filter(({ type }) => type === 'mirror.sync.completed').map(({ data }) => data['jobId']);
      expect(told.toSorted()).toEqual(
        jobs
          .filter(({ state }) => state === 'succeeded')
          .map(({ id }) => id)
          .toSorted(),
      );
    });
  });

  it('every version has one event and one audit entry, in a log without gap, and nothing is left on the way', async () => {
    await expectAudited(registry, tenant, await allVersions(tenant));
  });

  it('every blob on record has its bytes', () => expectBytesOnDisk(registry));
});
