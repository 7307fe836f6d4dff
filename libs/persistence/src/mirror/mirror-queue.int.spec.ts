import type { MirrorSettings } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { LeaseLost, type HeldJob, type JobCause, type SyncCounts } from '@packs/ports';
import { eventually } from '@packs/testing';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import { SpecDatabase } from '../persistence.fixture';
import { PostgresMirrorReadModel } from '../reading/mirror-read-model';
import { PostgresMirrorQueue } from './mirror-queue';
import { PostgresMirrorUnitOfWork } from './mirror-unit-of-work';

const HOOKS = { committed: () => undefined, traceparent: () => null };
const LEASE_MS = 60_000;
const CAUSE: JobCause = { cause: 'request', requestedBy: 'client:x', source: null, verify: false, changedAt: null };
const COUNTS: SyncCounts = { versions: 1, totalVersions: 1, bytes: 5, totalBytes: 5, copiedBytes: 5, repaired: 0, skipped: 0 };
const OUTCOME = { stateDigest: sha256('state'), counts: COUNTS, skipped: [] };

describe('PostgresMirrorQueue', () => {
  let db: SpecDatabase;
  let worker: DataSource;
  let queue: PostgresMirrorQueue;
  let mirrors: PostgresMirrorUnitOfWork;
  let reads: PostgresMirrorReadModel;
  let tenant: string;
  let tenants = 0;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    worker = await db.as('mirror-worker', 8);
    queue = new PostgresMirrorQueue(worker, HOOKS);
    mirrors = new PostgresMirrorUnitOfWork(worker, HOOKS);
    reads = new PostgresMirrorReadModel(await db.as('api-gateway'));
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    tenant = `acme-${tenants++}`;
    await (await db.client()).query('delete from mirror.mirrors');
  });

  const settings = (changes: Partial<MirrorSettings> = {}): MirrorSettings => ({
    name: 'north',
    kind: 'oci-layout',
    location: 'north',
    selection: {},
    intervalSeconds: null,
    enabled: true,
    ...changes,
  });

  function addMirror(changes: Partial<MirrorSettings> = {}): Promise<string> {
    const id = ulid();
    return mirrors.run(
      tenant,
      async tx => (await tx.mirrors.add(tenant, id, { settings: settings(changes), actor: 'client:x', at: new Date() })).id,
    );
  }

  const enqueue = (mirrorId: string, cause: Partial<JobCause> = {}) =>
    mirrors.run(tenant, tx => tx.jobs.enqueue(tenant, mirrorId, { ...CAUSE, ...cause }));
  const complete = (job: HeldJob) => queue.settle(job, async tx => void (await tx.succeed(OUTCOME)));
  const jobOf = async (job: { id: string; mirrorId: string }) => {
    const found = await reads.job(tenant, job.mirrorId, job.id);
    if (!found) throw new Error(`no job ${job.id}`);
    return found;
  };

  async function claimed(owner = 'worker', leaseMs = LEASE_MS): Promise<HeldJob> {
    const job = await queue.claim(owner, leaseMs);
    if (!job) throw new Error('nothing to claim');
    return job;
  }

  it('keeps what a mirror pulls; several may pull from one place, and beside what is copied there', async () => {
    const pull = { repositories: [{ repository: 'hello', range: '^1', newest: 3 }], maxVersions: 10, maxBytes: 1_000 };
    const [location, kind] = ['registry.example/acme', 'registry' as const];
    const id = await addMirror({ name: 'first', kind, location, pull });
    await addMirror({ name: 'second', kind, location, pull });
    await addMirror({ name: 'copied', kind, location });
    expect((await reads.find(tenant, id))?.pull).toEqual(pull);
    const wider = { ...pull, maxVersions: 11 };
    const changed = await mirrors.run(tenant, tx =>
      tx.mirrors.update(tenant, id, {
        settings: settings({ name: 'first', kind, location, pull: wider }),
        actor: 'client:x',
        at: new Date(),
      }),
    );
    expect(changed.pull).toEqual(wider);
    await expect(addMirror({ name: 'third', kind, location })).rejects.toThrow(/mirrors_location/);
    await expect(addMirror({ name: 'folder', location: 'south', pull })).rejects.toThrow(/mirrors_pull_from_registry/);
  });

  it('hands 50 jobs to two workers, each once and none left', async () => {
    for (let n = 0; n < 50; n++) await enqueue(await addMirror({ name: `m${n}`, location: `m${n}` }));
    const done: string[] = [];
    const work = async (owner: string): Promise<void> => {
      for (let job = await queue.claim(owner, LEASE_MS); job; job = await queue.claim(owner, LEASE_MS)) {
        done.push(job.id);
        await complete(job);
      }
    };
    await Promise.all([work('one'), work('one-more'), work('two'), work('two-more')]);
    expect(done).toHaveLength(50);
    expect(new Set(done).size).toBe(50);
    expect(await queue.backlog()).toMatchObject({ depth: 0 });
  });

  it('keeps one queued job for a mirror, which brings everything along that was asked for', async () => {
    const mirror = await addMirror();
    const early = new Date(Date.now() - 120_000);
    const first = await enqueue(mirror, { changedAt: new Date() });
    const jobs = await Promise.all([{ verify: true }, { changedAt: early }, {}, {}].map(cause => enqueue(mirror, cause)));
    expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set([first.id]));
    expect((await queue.backlog()).lagSeconds).toBeGreaterThanOrEqual(120);
    expect(await claimed()).toMatchObject({ id: first.id, verify: true, attempt: 1 });
  });

  it('begins no second job of a mirror while one runs', async () => {
    const mirror = await addMirror();
    await enqueue(mirror);
    const running = await claimed();
    const next = await enqueue(mirror);
    expect(next.id).not.toBe(running.id);
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
    await complete(running);
    expect((await claimed('other')).id).toBe(next.id);
  });

  it('gives a job whose lease ended to the next, and lets its first holder do nothing more', async () => {
    await enqueue(await addMirror());
    const lost = await claimed('dead', 1);
    const job = await eventually(() => claimed('alive'));
    expect(job).toMatchObject({ id: lost.id, attempt: 2 });
    let shown = false;
    await expect(queue.renew(lost, LEASE_MS)).rejects.toThrow(LeaseLost);
    await expect(queue.progress(lost, [{ path: 'a', digest: sha256('a'), size: 1 }], COUNTS)).rejects.toThrow(LeaseLost);
    await expect(queue.retryLater(lost, { code: 'X', message: 'x' }, 1)).rejects.toThrow(LeaseLost);
    await expect(queue.settle(lost, async () => void (shown = true))).rejects.toThrow(LeaseLost);
    expect(shown).toBe(false);
    expect((await queue.copiesOf(job, ['a'])).size).toBe(0);
    await complete(job);
    expect(await jobOf(job)).toMatchObject({ state: 'succeeded', attempts: 2, progress: { versions: 1, copiedBytes: 5 } });
  });

  it('keeps a job whose lease is renewed', async () => {
    await enqueue(await addMirror());
    const job = await claimed('slow', 300);
    await queue.renew(job, LEASE_MS);
    await (await db.client()).query('select pg_sleep(0.35)');
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
    await queue.release(job);
    expect(await claimed('other')).toMatchObject({ id: job.id, attempt: 1 });
  });

  it('lets nobody take a job over while its holder shows what it made', async () => {
    await enqueue(await addMirror());
    const job = await claimed('slow', 1);
    await queue.settle(job, async tx => {
      expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
      await tx.succeed(OUTCOME);
    });
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
  });

  it('tries again after the pause, or at once when somebody hurries', async () => {
    const mirror = await addMirror();
    await enqueue(mirror, { changedAt: new Date(Date.now() - 60_000) });
    const job = await claimed();
    await queue.retryLater(job, { code: 'ERR_MIRROR_TARGET_FULL', message: 'no room' }, 600_000);
    expect(await jobOf(job)).toMatchObject({
      state: 'running',
      error: { code: 'ERR_MIRROR_TARGET_FULL' },
      nextAttemptAt: expect.any(String) as string,
    });
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
    expect(await queue.backlog()).toMatchObject({ depth: 1 });
    expect((await queue.backlog()).lagSeconds).toBeGreaterThanOrEqual(60);
    await mirrors.run(tenant, tx => tx.jobs.hurry(tenant, mirror));
    expect(await claimed('other')).toMatchObject({ id: job.id, attempt: 2 });
  });

  it('counts a change as not yet shown until a sync of the mirror has succeeded', async () => {
    const mirror = await addMirror();
    await enqueue(mirror, { changedAt: new Date(Date.now() - 30_000) });
    await queue.settle(await claimed(), async tx => void (await tx.fail({ code: 'ERR_MIRROR_TARGET_FULL', message: 'no room' })));
    expect((await queue.backlog()).lagSeconds).toBeGreaterThanOrEqual(30);
    expect((await reads.find(tenant, mirror))?.pendingSince).not.toBeNull();
    await enqueue(mirror);
    const second = await claimed();
    expect((await queue.backlog()).lagSeconds).toBeGreaterThanOrEqual(30);
    await complete(second);
    expect(await queue.backlog()).toEqual({ depth: 0, lagSeconds: 0 });
    expect(await reads.find(tenant, mirror)).toMatchObject({ pendingSince: null, seq: 1, stateDigest: OUTCOME.stateDigest });
  });

  it('verifies in the first sync after that was demanded, and not in those after it', async () => {
    const mirror = await addMirror();
    await mirrors.run(tenant, tx => tx.mirrors.demandVerify(tenant, mirror));
    await enqueue(mirror);
    const first = await claimed();
    await complete(first);
    await enqueue(mirror);
    expect([first.verify, (await claimed()).verify]).toEqual([true, false]);
  });

  it('queues a job for each mirror whose interval has passed, once for all workers', async () => {
    const due = await addMirror({ intervalSeconds: 60 });
    await addMirror({ name: 'later', location: 'later', intervalSeconds: 3_600 });
    await addMirror({ name: 'off', location: 'off', intervalSeconds: 60, enabled: false });
    await (await db.client()).query(`update mirror.mirrors set next_run_at = now() where interval_seconds = 60`);
    const counts = await Promise.all([queue.enqueueDue(), queue.enqueueDue(), queue.enqueueDue()]);
    expect(counts.toSorted()).toEqual([0, 0, 1]);
    expect(await claimed()).toMatchObject({ mirrorId: due, requestedBy: 'service:mirror-worker' });
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
  });

  it('forgets copies when a mirror goes to another place or pulls from now on, and everything when it is removed', async () => {
    const mirror = await addMirror();
    await enqueue(mirror);
    const job = await claimed();
    await queue.progress(job, [{ path: 'a', digest: sha256('a'), size: 1 }], COUNTS);
    expect([...(await queue.copiesOf(job, ['a', 'b']))]).toEqual([['a', sha256('a')]]);
    const change = (changes: Partial<MirrorSettings>) =>
      mirrors.run(tenant, tx => tx.mirrors.update(tenant, mirror, { settings: settings(changes), actor: 'client:y', at: new Date() }));
    await change({ name: 'renamed' });
    expect((await queue.copiesOf(job, ['a'])).size).toBe(1);
    await change({ location: 'elsewhere' });
    expect((await queue.copiesOf(job, ['a'])).size).toBe(0);
    await change({ location: 'elsewhere', kind: 'registry' });
    await queue.progress(job, [{ path: 'a', digest: sha256('a'), size: 1 }], COUNTS);
    await change({ location: 'elsewhere', kind: 'registry', pull: { repositories: [{ repository: 'app' }], maxVersions: 1, maxBytes: 1 } });
    expect((await queue.copiesOf(job, ['a'])).size).toBe(0);
    await mirrors.run(tenant, tx => tx.mirrors.remove(tenant, mirror));
    await expect(queue.renew(job, LEASE_MS)).rejects.toThrow(LeaseLost);
    expect(await reads.jobs(tenant, mirror, null, 10)).toEqual({ jobs: [], next: null });
  });

  it('ends what is under way when a mirror is disabled', async () => {
    const mirror = await addMirror();
    await enqueue(mirror);
    const job = await claimed();
    await mirrors.run(tenant, tx => tx.jobs.cancel(tenant, mirror, 'ERR_MIRROR_DISABLED', 'disabled'));
    await expect(queue.renew(job, LEASE_MS)).rejects.toThrow(LeaseLost);
    expect(await jobOf(job)).toMatchObject({ state: 'failed', error: { code: 'ERR_MIRROR_DISABLED' } });
  });

  it("shows a tenant's transactions nothing of another's mirrors and jobs", async () => {
    const mirror = await addMirror();
    await enqueue(mirror);
    await mirrors.run('globex', async tx => {
      expect(await tx.mirrors.list(tenant)).toEqual([]);
      expect(await tx.mirrors.find(tenant, mirror)).toBeUndefined();
      expect(await tx.jobs.running(tenant, mirror)).toBeUndefined();
      await tx.mirrors.remove(tenant, mirror);
    });
    expect(await reads.find(tenant, mirror)).toMatchObject({ id: mirror });
    await expect(mirrors.run('globex', tx => tx.jobs.enqueue(tenant, mirror, CAUSE))).rejects.toThrow(/row-level security/);
  });
});
