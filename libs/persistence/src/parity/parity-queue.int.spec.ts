import { PARITY_CONSUMER, type ParityState } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { LeaseLost, type ComparisonCause, type FinishingTx, type HeldComparison, type ParityFinding } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import { PostgresMirrorQueue } from '../mirror/mirror-queue';
import { PostgresMirrorUnitOfWork } from '../mirror/mirror-unit-of-work';
import { anEvent, SpecDatabase } from '../persistence.fixture';
import { PostgresParityReadModel } from '../reading/parity-read-model';
import { PostgresParityQueue } from './parity-queue';
import { PostgresParityUnitOfWork } from './parity-unit-of-work';

const HOOKS = { committed: () => undefined, traceparent: () => null };
const LEASE_MS = 60_000;
const CAUSE: ComparisonCause = { cause: 'request', depth: 'bytes', requestedBy: 'client:x', source: null };
const PROGRESS = { versions: 1, totalVersions: 1, hashedBytes: 5 };
const NOTHING = async (): Promise<void> => undefined;
const LONG_AGO = new Date('2026-01-17T08:00:00.000Z');

function finding(packId: string, state: ParityState, changes: Partial<ParityFinding> = {}): ParityFinding {
  return { version: { packId, version: '1.0.0' }, path: null, state, byBytes: true, proof: null, ...changes };
}

describe('PostgresParityQueue', () => {
  let db: SpecDatabase;
  let worker: DataSource;
  let queue: PostgresParityQueue;
  let parity: PostgresParityUnitOfWork;
  let mirrors: PostgresMirrorUnitOfWork;
  let syncs: PostgresMirrorQueue;
  let reads: PostgresParityReadModel;
  let tenant: string;
  let mirrorId: string;
  let tenants = 0;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    worker = await db.as('parity-worker', 8);
    queue = new PostgresParityQueue(worker, HOOKS);
    parity = new PostgresParityUnitOfWork(worker);
    const mirrorWorker = await db.as('mirror-worker');
    mirrors = new PostgresMirrorUnitOfWork(mirrorWorker, HOOKS);
    syncs = new PostgresMirrorQueue(mirrorWorker, HOOKS);
    reads = new PostgresParityReadModel(await db.as('api-gateway'));
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await (
      await db.client()
    ).query('delete from parity.comparisons; delete from parity.mirrors; delete from parity.parity_matrix; delete from mirror.mirrors');
    tenant = `acme-${tenants++}`;
    mirrorId = await addMirror();
  });

  async function addMirror(name = 'north'): Promise<string> {
    const settings = { name, kind: 'oci-layout' as const, location: name, selection: {}, intervalSeconds: null, enabled: true };
    const id = ulid();
    await mirrors.run(tenant, tx => tx.mirrors.add(tenant, id, { settings, actor: 'client:x', at: new Date() }));
    return id;
  }

  const ask = (cause: Partial<ComparisonCause> = {}, id = mirrorId) => parity.run(tenant, tx => tx.enqueue(id, { ...CAUSE, ...cause }));
  const mark = (packId: string | null, changedAt = new Date()) =>
    parity.run(tenant, tx =>
      tx.markPending({ mirrorId, changedAt, version: packId === null ? null : { packId, version: '1.0.0', state: 'missing' } }),
    );

  async function claimed(owner = 'worker', leaseMs = LEASE_MS): Promise<HeldComparison> {
    const held = await queue.claim(owner, leaseMs);
    if (!held) throw new Error('nothing to claim');
    return held;
  }

  async function compare(
    findings: readonly ParityFinding[],
    cause: Partial<ComparisonCause> = {},
    work: (tx: FinishingTx) => Promise<void> = NOTHING,
  ) {
    await ask(cause);
    const held = await claimed();
    await queue.record(held, findings, PROGRESS);
    expect(await queue.finish(held, 0, work)).toBe(true);
    return held;
  }

  const checkOf = async ({ id }: { id: string }) => {
    const found = await reads.check(tenant, id);
    if (!found) throw new Error(`no comparison ${id}`);
    return found;
  };
  const shown = async () => (await reads.rows(tenant, { mirrorId, state: null, after: null, limit: 100 })).rows;
  const states = async () => (await shown()).map(row => `${row.packId ?? row.path} ${row.state}${row.pending ? ' pending' : ''}`);
  const standing = async () => {
    const [one] = await reads.mirrors(tenant, mirrorId);
    return one;
  };

  it('shows nothing of a comparison before it is finished, and then all of it', async () => {
    expect(await standing()).toMatchObject({ inStep: false, checkedAt: null, lastSync: { seq: 0, at: null } });
    const check = await ask();
    const held = await claimed();
    await queue.record(held, [finding('hello', 'in-step'), finding('other', 'missing')], PROGRESS);
    expect(await shown()).toEqual([]);
    expect(await checkOf(check)).toMatchObject({ state: 'running', attempts: 1, inStep: null, counts: null, progress: PROGRESS });
    expect(await queue.finish(held, 0, NOTHING)).toBe(true);
    expect(await states()).toEqual(['hello in-step', 'other missing']);
    expect(await checkOf(check)).toMatchObject({ state: 'succeeded', inStep: false, counts: { 'in-step': 1, missing: 1, extra: 0 } });
    expect(await standing()).toMatchObject({ inStep: false, comparisonId: check.id, depth: 'bytes', counts: { missing: 1 } });
    await compare([finding('hello', 'in-step')]);
    expect(await states()).toEqual(['hello in-step']);
    expect(await standing()).toMatchObject({ inStep: true });
  });

  it('shows nothing when its last transaction is broken off, and can be finished after that', async () => {
    const check = await ask();
    const held = await claimed();
    await queue.record(held, [finding('hello', 'in-step')], PROGRESS);
    const broken = queue.finish(held, 0, async tx => {
      await tx.outbox.append(anEvent(tenant));
      await tx.announce({ kinds: ['missing'], seq: 1 });
      throw new Error('killed');
    });
    await expect(broken).rejects.toThrow('killed');
    expect([await shown(), (await checkOf(check)).state]).toEqual([[], 'running']);
    let announced: unknown;
    expect(await queue.finish(held, 0, async tx => void (announced = tx.announced))).toBe(true);
    expect(announced).toEqual({ kinds: [], seq: 0 });
    expect((await (await db.client()).query('select 1 from parity.outbox where tenant = $1', [tenant])).rowCount).toBe(0);
  });

  it('gives the comparison of a worker that died to another, who begins anew; the first can do no more', async () => {
    await ask();
    const dead = await claimed('dead', 1);
    await queue.record(dead, [finding('hello', 'missing')], PROGRESS);
    const next = await claimed('next');
    expect(next).toMatchObject({ id: dead.id, attempt: 2 });
    for (const late of [
      queue.renew(dead, LEASE_MS),
      queue.record(dead, [finding('hello', 'missing')], PROGRESS),
      queue.finish(dead, 0, NOTHING),
      queue.fail(dead, { code: 'ERR_PACK_INTERNAL', message: '' }),
      queue.retryLater(dead, 0, false),
    ]) {
      await expect(late).rejects.toThrow(LeaseLost);
    }
    await queue.record(next, [finding('hello', 'in-step')], PROGRESS);
    expect(await queue.finish(next, 0, NOTHING)).toBe(true);
    expect(await states()).toEqual(['hello in-step']);
  });

  it('compares a mirror once at a time, and joins what is asked for meanwhile', async () => {
    await ask({ depth: 'index' });
    const first = await claimed();
    const waiting = await ask({ depth: 'index' });
    expect(await ask({ depth: 'bytes' })).toMatchObject({ id: waiting.id, depth: 'bytes' });
    expect(await ask({ depth: 'changes' })).toMatchObject({ id: waiting.id, depth: 'bytes' });
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
    await ask({}, await addMirror('south'));
    expect(await queue.claim('other', LEASE_MS)).toMatchObject({ attempt: 1 });
    await queue.finish(first, 0, NOTHING);
    expect(await claimed()).toMatchObject({ id: waiting.id });
  });

  it('neither begins nor counts while its mirror is synced', async () => {
    await ask();
    await mirrors.run(tenant, tx =>
      tx.jobs.enqueue(tenant, mirrorId, { cause: 'request', requestedBy: 'client:x', source: null, verify: false, changedAt: null }),
    );
    const before = await claimed();
    const job = await syncs.claim('syncer', LEASE_MS);
    expect(await queue.finish(before, 0, NOTHING)).toBe(false);
    await queue.retryLater(before, 0, false);
    expect(await queue.claim('worker', LEASE_MS)).toBeUndefined();
    if (!job) throw new Error('no sync to claim');
    const counts = { versions: 0, totalVersions: 0, bytes: 0, totalBytes: 0, copiedBytes: 0, repaired: 0, skipped: 0 };
    await syncs.settle(job, async tx => void (await tx.succeed({ stateDigest: sha256('state'), counts, skipped: [] })));
    const after = await claimed();
    expect(after).toMatchObject({ id: before.id, attempt: 1 });
    expect(await queue.finish(after, 0, NOTHING)).toBe(false);
    expect(await queue.finish(after, 1, NOTHING)).toBe(true);
  });

  it('is out of step from the moment an event tells of a change, until a comparison that began later', async () => {
    await compare([finding('hello', 'in-step')]);
    await mark('new');
    expect(await states()).toEqual(['hello in-step', 'new missing pending']);
    expect(await standing()).toMatchObject({ inStep: false });
    expect(await queue.outOfStep()).toBe(1);
    await compare([finding('hello', 'in-step'), finding('new', 'in-step')]);
    expect(await states()).toEqual(['hello in-step', 'new in-step']);
    expect([await standing(), await queue.outOfStep()]).toMatchObject([{ inStep: true, pendingSince: null }, 0]);
  });

  it('keeps what it is told of while it compares', async () => {
    await ask();
    const held = await claimed();
    await queue.record(held, [finding('hello', 'in-step')], PROGRESS);
    await mark('hello');
    await mark(null);
    await queue.finish(held, 0, NOTHING);
    expect(await states()).toEqual(['hello missing pending']);
    expect(await standing()).toMatchObject({ inStep: false });
  });

  it('compares again when it is told late of what happened before', async () => {
    await compare([finding('hello', 'in-step')]);
    await mark('hello', LONG_AGO);
    expect(await claimed()).toMatchObject({ depth: 'changes', requestedBy: 'service:parity-worker' });
  });

  it('compares again when it was told late while it compared', async () => {
    await ask();
    const held = await claimed();
    await mark('hello', LONG_AGO);
    await queue.finish(held, 0, NOTHING);
    expect(await claimed()).toMatchObject({ depth: 'changes' });
  });

  it('keeps a difference that was read from being hidden by an event, and files from being forgotten by an index', async () => {
    const stray = finding('', 'extra', { version: null, path: 'blobs/intruder' });
    await compare([finding('hello', 'different-digest'), stray]);
    await mark('hello');
    expect(await states()).toEqual(['blobs/intruder extra', 'hello different-digest']);
    await compare([finding('hello', 'in-step')], { depth: 'index' });
    expect(await states()).toEqual(['blobs/intruder extra', 'hello in-step']);
    await compare([finding('hello', 'in-step')], { depth: 'changes' });
    expect(await states()).toEqual(['hello in-step']);
  });

  it('knows at the next comparison what the last one proved', async () => {
    const proof = sha256('proof');
    await compare([finding('hello', 'in-step', { proof }), finding('other', 'missing')]);
    await mark('new');
    await ask();
    const known = await queue.before(await claimed(), [
      { packId: 'hello', version: '1.0.0' },
      { packId: 'new', version: '1.0.0' },
    ]);
    expect([...known]).toEqual([['hello@1.0.0', finding('hello', 'in-step', { proof })]]);
  });

  it('remembers what was announced, and hands on the differences that matter most', async () => {
    await compare([finding('a', 'missing'), finding('b', 'different-digest', { path: 'blobs/b' })], {}, async tx => {
      expect([tx.counts['in-step'], tx.counts.missing, tx.counts['different-digest']]).toEqual([0, 1, 1]);
      expect((await tx.first(1)).map(one => one.version?.packId)).toEqual(['b']);
      await tx.announce({ kinds: ['missing'], seq: 7 });
    });
    await compare([], {}, async tx => expect(tx.announced).toEqual({ kinds: ['missing'], seq: 7 }));
  });

  it('does not know how a mirror stands after a comparison that failed', async () => {
    await compare([finding('hello', 'in-step')]);
    await ask();
    const held = await claimed();
    await queue.fail(held, { code: 'ERR_MIRROR_TARGET_UNAVAILABLE', message: 'gone' });
    expect(await standing()).toMatchObject({ inStep: false, error: { code: 'ERR_MIRROR_TARGET_UNAVAILABLE' } });
    expect(await checkOf(held)).toMatchObject({ state: 'failed', inStep: null });
  });

  it('does not know it from the first attempt that failed on, but goes by what it knew when no attempt was made', async () => {
    await compare([finding('hello', 'in-step')]);
    await ask();
    const gone = { code: 'ERR_MIRROR_TARGET_UNAVAILABLE', message: 'gone' };
    await queue.retryLater(await claimed(), 0, false, { code: 'ERR_PACK_UNAVAILABLE', message: 'no database' });
    expect(await standing()).toMatchObject({ inStep: true, error: null });
    await queue.retryLater(await claimed(), 0, true, gone);
    expect(await standing()).toMatchObject({ inStep: false, error: gone });
    await queue.finish(await claimed(), 0, NOTHING);
    expect(await standing()).toMatchObject({ inStep: true, error: null });
  });

  it('reads every byte of a synced mirror again when its time has come, once', async () => {
    const admin = await db.client();
    expect(await queue.enqueueDue(3600)).toBe(0);
    await admin.query(`update mirror.mirrors set synced_at = now(), created_at = now() - interval '2 hours'`);
    expect([await queue.enqueueDue(3600), await queue.enqueueDue(3600)]).toEqual([1, 0]);
    const held = await claimed();
    expect(held).toMatchObject({ depth: 'bytes' });
    await queue.finish(held, 0, NOTHING);
    expect(await queue.enqueueDue(3600)).toBe(0);
  });

  it('shows a tenant nothing of another, pages rows, and forgets a mirror whole', async () => {
    const check = await compare([finding('a', 'in-step'), finding('b', 'missing'), finding('c', 'missing')]);
    const page = { mirrorId: null, state: 'missing' as const, limit: 1 };
    const first = await reads.rows(tenant, { ...page, after: null });
    const second = await reads.rows(tenant, { ...page, after: first.next });
    expect([first.rows[0]?.packId, second.rows[0]?.packId, second.next]).toEqual(['b', 'c', null]);
    expect(await reads.mirrors('globex', null)).toEqual([]);
    expect((await reads.rows('globex', { ...page, after: null })).rows).toEqual([]);
    expect(await reads.check('globex', check.id)).toBeUndefined();
    await expect(reads.rows(tenant, { ...page, after: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID' });
    await parity.run(tenant, tx => tx.forget(mirrorId));
    expect([await shown(), await reads.check(tenant, check.id)]).toEqual([[], undefined]);
  });

  it('gives an event its effect once', async () => {
    const register = () => parity.run(tenant, tx => tx.inbox.register(PARITY_CONSUMER.name, 'evt_1'));
    expect([await register(), await register()]).toEqual([true, false]);
  });
});
