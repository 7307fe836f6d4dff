import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@packs/testing';
import type { PartName } from '../tools/stack/stack';
import { RULES } from './oci-log-checker';
import { OciWorkload } from './oci-workload';
import { seeded } from './publishing-client';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const VICTIMS: readonly PartName[] = ['api-gateway', 'api-gateway-2', 'publisher', 'verifier'];
/** `SEED=… npm test -- test-e2e/oci-kill.spec` repeats a run; TEST_SCALE=10 makes ten times as many faults. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const SCALE = Math.max(1, Math.round(Number(process.env.TEST_SCALE ?? 1)));
const TIMES = 2;
const READY_WITHIN_MS = 10_000;
const FAULT_MS = 40_000;

const random = seeded(SEED);
const rounds = Array.from({ length: TIMES * SCALE }, () => VICTIMS).flat();
let registry: Registry;
let workload: OciWorkload;

beforeAll(async () => {
  console.log(`seed ${SEED}: SEED=${SEED} npm test -- test-e2e/oci-kill.spec`);
  registry = await Registry.start({ GATEWAY_PROCESSES: '2' });
  const [writer, partner, stranger] = [await registry.caller(), await registry.caller(), await registry.caller()];
  const reader = await registry.caller(writer.tenant, 'packs.read');
  const keys = { trusted: new SigningKey('release'), untrusted: new SigningKey('release') };
  await writer.trust(keys.trusted);
  await writer.policy({ keyRef: 'release' }, { unsigned: 'pending' });
  await writer.put('/api/visibility', { shareWith: [partner.tenant] });
  workload = new OciWorkload({ writer, reader, partner, stranger }, keys, random);
});

afterAll(() => registry.end());

async function progress(more: number): Promise<void> {
  const wanted = workload.acknowledged + more;
  await eventually(() => expect(workload.acknowledged).toBeGreaterThanOrEqual(wanted), FAULT_MS);
}

/** While something is being pushed, the process is gone without warning; some time later it is started again. */
async function fault(victim: PartName): Promise<number> {
  await progress(2);
  await delay(random() * 150);
  await eventually(() => expect(workload.inFlight).toBeGreaterThan(0));
  await registry.part(victim).kill('SIGKILL');
  await delay(random() * 600);
  const started = performance.now();
  await registry.part(victim).start();
  return performance.now() - started;
}

describe('processes are killed while images and packs are pushed', () => {
  it(
    `each in turn, and each is ready within 10 s (seed ${process.env.SEED === undefined ? 'printed above' : SEED})`,
    async () => {
      const late: string[] = [];
      workload.start();
      try {
        for (const victim of rounds.toSorted(() => random() - 0.5)) {
          const readyMs = await fault(victim);
          if (readyMs > READY_WITHIN_MS) late.push(`${victim} was ready after ${Math.round(readyMs)} ms`);
        }
        await progress(2);
      } finally {
        await workload.stop();
      }
      expect(late).toEqual([]);
    },
    FAULT_MS * rounds.length,
  );

  it(
    'what was not acknowledged can be pushed again, and everybody reads everything',
    async () => {
      await workload.readAll();
      expect(await workload.pushAgain()).toBe(0);
      await workload.readAll();
      const { log } = workload;
      const unanswered = log.filter(({ status }) => status === null || status === 503).length;
      console.log(
        `${log.length} requests of clients, ${workload.acknowledged} pushes acknowledged, ${unanswered} requests without an answer`,
      );
      expect(unanswered).toBeGreaterThan(0);
      // Each rule has something to speak of.
      const answered = (act: string, status: number) => log.filter(one => one.about.act === act && one.status === status).length;
      for (const [act, status] of [
        ['push-blob', 201],
        ['push-manifest', 201],
        ['delete-manifest', 202],
        ['delete-tag', 202],
        ['read-manifest', 404],
      ] as const) {
        expect([act, status, answered(act, status) > 0]).toEqual([act, status, true]);
      }
      expect(unanswered).toBeLessThan(log.length / 2);
      for (const standing of ['writer', 'reader', 'partner'] as const) {
        expect([standing, log.some(one => one.standing === standing && one.about.act === 'read-manifest' && one.status === 200)]).toEqual([
          standing,
          true,
        ]);
      }
    },
    120_000 * SCALE,
  );

  it.each(Object.entries(RULES))('the registry %s, by its clients’ logs', (_, faults) => {
    expect(faults(workload.log)).toEqual([]);
  });
});
