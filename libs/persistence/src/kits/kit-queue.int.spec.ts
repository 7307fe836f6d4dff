import { sha256 } from '@packs/domain';
import { LeaseLost, type HeldImport, type HeldKitJob } from '@packs/ports';
import { ulid } from 'ulid';
import { PostgresContentCatalog } from '../content-catalog';
import { SpecDatabase } from '../persistence.fixture';
import { PostgresKitQueue } from './kit-queue';
import { PostgresKitReadModel } from './kit-read-model';
import { aBlob, HOOKS, queueImport } from './kits.fixture';

const LEASE_MS = 60_000;
const FAULT = { code: 'ERR_PACK_UNAVAILABLE', message: 'later', details: {}, errors: [] };

describe('PostgresKitQueue', () => {
  let db: SpecDatabase;
  let queue: PostgresKitQueue;
  let reads: PostgresKitReadModel;

  beforeEach(async () => {
    db = await SpecDatabase.open();
    queue = new PostgresKitQueue(await db.as('mirror-worker'), HOOKS);
    reads = new PostgresKitReadModel(await db.as('api-gateway'));
  });
  afterEach(() => db.close());

  async function queueExport(tenant = 'acme', id = ulid()): Promise<string> {
    await queue.add({ tenant, actor: 'user:alice', source: null }, id, { kind: 'export', request: { selection: {}, seq: null } });
    return id;
  }

  async function claimed(owner = 'one'): Promise<HeldKitJob> {
    const job = await queue.claim(owner, LEASE_MS);
    if (!job) throw new Error('there was nothing to claim');
    return job;
  }

  /** As if the worker had died long ago. */
  async function loseLease(id: string): Promise<void> {
    const admin = await db.client();
    await admin.query(`update mirror.kit_jobs set lease_until = now() - interval '1 second' where id = $1`, [id]);
  }

  it('adds a job once, however often it is asked to', async () => {
    const id = await queueExport();
    await queueExport('acme', id);
    expect((await claimed()).id).toBe(id);
    expect(await queue.claim('two', LEASE_MS)).toBeUndefined();
  });

  it('hands a job to one worker, and to another only when its lease has ended', async () => {
    const id = await queueExport();
    const first = await claimed('one');
    expect(await queue.claim('two', LEASE_MS)).toBeUndefined();
    await loseLease(id);
    const second = await claimed('two');
    expect([second.id, second.attempt]).toEqual([id, 2]);
    await expect(queue.renew(first, LEASE_MS, { done: 1, total: 2 })).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.settle(first, tx => tx.fail(FAULT, false))).rejects.toBeInstanceOf(LeaseLost);
    await expect(queue.fixGeneration(first, 7)).rejects.toBeInstanceOf(LeaseLost);
    await queue.renew(second, LEASE_MS, { done: 1, total: 2 });
    expect(await reads.findExport('acme', id)).toMatchObject({ state: 'running', progress: { bytes: 1, totalBytes: 2 } });
  });

  it('keeps the generation over a take-over', async () => {
    const id = await queueExport();
    await queue.fixGeneration(await claimed(), 42);
    await loseLease(id);
    expect(await claimed('two')).toMatchObject({ kind: 'export', generation: 42 });
  });

  it('begins one import of a tenant at a time, beside those of others and exports', async () => {
    const first = await queueImport(queue, 'acme', 'first');
    await queueImport(queue, 'acme', 'second');
    const foreign = await queueImport(queue, 'globex', 'third');
    const ids = [(await claimed()).id, (await claimed()).id];
    expect(ids).toEqual([first, foreign]);
    expect(await queue.claim('three', LEASE_MS)).toBeUndefined();
    const exported = await queueExport();
    expect((await claimed()).id).toBe(exported);
  });

  it('lets a job wait for its next attempt, and gives one back at once', async () => {
    const id = await queueExport();
    await queue.retryLater(await claimed(), FAULT, 60_000);
    expect(await queue.claim('two', LEASE_MS)).toBeUndefined();
    expect((await reads.findExport('acme', id))?.error?.code).toBe('ERR_PACK_UNAVAILABLE');
    await loseLease(id);
    await queue.release(await claimed());
    expect((await claimed('three')).attempt).toBe(2);
  });

  it('shows a finished export with its kit, to its tenant alone', async () => {
    const id = await queueExport();
    const job = await claimed();
    await queue.fixGeneration(job, 7);
    const [kit, signature] = [aBlob('the kit'), aBlob('its signature')];
    await new PostgresContentCatalog(await db.as('mirror-worker')).record([kit, signature]);
    expect(await reads.exported('acme', id)).toBeUndefined();
    await queue.settle(job, tx =>
      tx.exported({ digest: kit.digest, size: kit.size, signature: signature.digest, versions: 3, withdrawn: 0 }),
    );
    expect(await reads.exported('acme', id)).toEqual({ kit, signature, generation: 7 });
    expect(await reads.findExport('acme', id)).toMatchObject({ state: 'succeeded', generation: 7, kit: { versions: 3 } });
    expect(await reads.findExport('globex', id)).toBeUndefined();
    expect(await reads.exported('globex', id)).toBeUndefined();
    expect(await reads.findImport('acme', id)).toBeUndefined();
  });

  describe('staging', () => {
    it('is found again by whoever takes the job over, and closed to who has lost it', async () => {
      const id = await queueImport(queue, 'acme');
      const first = (await claimed()) as HeldImport;
      await queue.stage(first, [aBlob('a'), aBlob('b')]);
      await loseLease(id);
      const second = (await claimed('two')) as HeldImport;
      expect([...(await queue.staged(second)).values()].map(({ objectKey }) => objectKey).toSorted()).toEqual([
        'object of a',
        'object of b',
      ]);
      await expect(queue.stage(first, [aBlob('c')])).rejects.toBeInstanceOf(LeaseLost);
    });

    it('is cleared away with the upload once the import has ended, but for what became content', async () => {
      await queueImport(queue, 'acme');
      const job = (await claimed()) as HeldImport;
      await queue.stage(job, [aBlob('kept'), aBlob('superfluous')]);
      await new PostgresContentCatalog(await db.as('mirror-worker')).record([
        aBlob('kept'),
        { ...aBlob('superfluous'), objectKey: 'an earlier one' },
      ]);
      const removed: string[] = [];
      const remove = async (keys: readonly string[]): Promise<void> => void removed.push(...keys);
      expect(await queue.clear(remove)).toBe(false);
      await queue.settle(job, tx => tx.imported({ outcome: 'imported', added: 1, known: 0 }));
      expect(await queue.clear(remove)).toBe(true);
      expect(removed.toSorted()).toEqual(['object of a kit', 'object of signature of a kit', 'object of superfluous']);
      expect([await queue.clear(remove), (await queue.staged(job)).size]).toEqual([false, 0]);
    });

    it('is kept while nobody knows whether the publisher still works on it', async () => {
      await queueImport(queue, 'acme');
      const job = (await claimed()) as HeldImport;
      await queue.stage(job, [aBlob('a')]);
      await queue.settle(job, tx => tx.fail(FAULT, false));
      expect(await queue.clear(async () => undefined)).toBe(false);
    });

    it('is cleared again when clearing was cut short', async () => {
      await queueImport(queue, 'acme');
      const job = (await claimed()) as HeldImport;
      await queue.settle(job, tx => tx.fail({ ...FAULT, code: 'ERR_KIT_DIGEST' }, true));
      await expect(queue.clear(() => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
      expect(await queue.clear(async () => undefined)).toBe(true);
    });
  });

  it('keeps the report and the fault of an import', async () => {
    const id = await queueImport(queue, 'acme');
    const job = (await claimed()) as HeldImport;
    const report = {
      format: 'stellaops.io/offline-kit.v1',
      generation: 7,
      source: { tenant: 'acme', log: sha256('log') },
      exporter: { name: 'hq', keyId: sha256('key') },
      selection: {},
      versions: { total: 1, new: 0, known: 0, conflicting: 1 },
      conflicting: [{ packId: 'a', version: '1.0.0' }],
      outcome: 'conflict' as const,
      newestImported: null,
    };
    await queue.report(job, report);
    await queue.settle(job, tx => tx.fail({ ...FAULT, code: 'ERR_KIT_CONFLICT' }, true));
    expect(await reads.findImport('acme', id)).toMatchObject({
      state: 'failed',
      report,
      error: { code: 'ERR_KIT_CONFLICT' },
      result: null,
    });
  });
});
