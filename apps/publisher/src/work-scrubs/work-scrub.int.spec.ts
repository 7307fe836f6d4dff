import { mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuarantineBlob as QuarantineBlobCommand } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import { FileBlobStore } from '@packs/object-storage';
import { createLogger } from '@packs/observability';
import { createDataSource, PostgresBlobRecords, PostgresContentCatalog, PostgresScrubQueue, type DataSource } from '@packs/persistence';
import { DamageReports, isQuarantined, SystemClock, type BlobRecords, type StoredBlob } from '@packs/ports';
import { eventually, ScriptedCommandBus, testDatabase, type TestDatabase } from '@packs/testing';
import { ulid } from 'ulid';
import { QuarantineBlob } from '../quarantine-blob/quarantine-blob';
import { RepairingBlobStore } from '../replace-blob/repairing-blob-store';
import { ReplaceBlob } from '../replace-blob/replace-blob';
import { WorkScrub } from './work-scrub';

const LIMITS = { leaseMs: 60_000, bytesPerSecond: 1024 ** 3 };
const MIB = 1024 * 1024;
const logger = createLogger('publisher', 'silent');

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

describe('bytes at rest', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let folder: string;
  let store: FileBlobStore;
  let records: BlobRecords;
  let queue: PostgresScrubQueue;
  let replaceBlob: ReplaceBlob;
  let quarantineBlob: QuarantineBlob;

  beforeAll(async () => {
    database = await testDatabase();
    dataSource = await createDataSource({ url: database.urlOf('publisher'), applicationName: 'spec', poolSize: 4 }).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    await database.empty();
    folder = await mkdtemp(join(tmpdir(), 'rot-'));
    store = await FileBlobStore.open(folder);
    records = new PostgresBlobRecords(dataSource, { committed: () => undefined, traceparent: () => null }, 'platform');
    queue = new PostgresScrubQueue(dataSource);
    replaceBlob = new ReplaceBlob(records, store, new SystemClock(), logger);
    quarantineBlob = new QuarantineBlob(records, store, replaceBlob, new SystemClock());
  });
  afterEach(() => rm(folder, { recursive: true }));

  const pathOf = ({ objectKey }: StoredBlob) => join(folder, 'objects', objectKey.slice(-1), objectKey);
  const keep = async (content: string | Buffer): Promise<StoredBlob> => {
    const bytes = Buffer.from(content);
    const blob = await store.write(once(bytes), { maxBytes: bytes.length });
    await new PostgresContentCatalog(dataSource).record([blob]);
    return blob;
  };
  const flip = async (blob: StoredBlob, at = 0): Promise<void> => {
    const bytes = await readFile(pathOf(blob));
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(pathOf(blob), bytes);
  };
  const isIsolated = async ({ digest }: StoredBlob): Promise<boolean> => {
    const found = await records.find(digest);
    return found !== undefined && isQuarantined(found);
  };
  const report = ({ digest, objectKey }: StoredBlob) => quarantineBlob.execute({ digest, objectKey, reporter: 'spec' });
  const begin = () => queue.add({ id: ulid(), requestedBy: 'user:op', since: null, sample: 1 });
  const work = async (worker = new WorkScrub(queue, store, quarantineBlob, LIMITS, logger)): Promise<void> => {
    const held = await queue.claim(ulid(), LIMITS.leaseMs);
    if (held) await worker.execute(held);
  };

  it('are read by a scrub, which finds every damage and nothing else', async () => {
    const whole = await Promise.all(Array.from({ length: 70 }, (_, at) => keep(`whole ${at}`)));
    const [flipped, short, missing, a, b, known] = await Promise.all([
      keep(Buffer.alloc(3 * MIB, 'x')),
      keep('truncated'),
      keep('missing'),
      keep('swapped a'),
      keep('swapped b'),
      keep('known before'),
    ]);
    await flip(flipped, 2 * MIB + 9);
    await truncate(pathOf(short), 3);
    await rm(pathOf(missing));
    await rename(pathOf(a), join(folder, 'aside'));
    await rename(pathOf(b), pathOf(a));
    await rename(join(folder, 'aside'), pathOf(b));
    await flip(known);
    expect(await report(known)).toEqual({ outcome: 'quarantined' });

    const { id } = await begin();
    await work();
    const damaged = [flipped, short, missing, a, b, known];
    const found = await queue.find(id);
    expect(found).toMatchObject({ state: 'completed', examined: 76, damaged: 6, unreadable: 0 });
    expect(found?.digests.toSorted()).toEqual(damaged.map(({ digest }) => digest).toSorted());
    for (const blob of damaged) expect(await isIsolated(blob)).toBe(true);
    for (const blob of whole) expect(await isIsolated(blob)).toBe(false);
  });

  it('are gone through once although the process dies in between', async () => {
    const blobs = await Promise.all(Array.from({ length: 150 }, (_, at) => keep(`blob ${at}`)));
    const { id } = await begin();
    const sorted = blobs.map(({ digest }) => digest).toSorted();
    // Dies on its third page.
    let reads = 0;
    const dying = Object.assign(await FileBlobStore.open(folder), {
      read: (...asked: Parameters<FileBlobStore['read']>) => (++reads > 130 ? stuck() : store.read(...asked)),
    });
    const held = await queue.claim('dead', LIMITS.leaseMs);
    if (!held) throw new Error('nothing to claim');
    const first = new WorkScrub(queue, dying, quarantineBlob, LIMITS, logger);
    const dead = first.execute(held);
    await eventually(async () => expect(await queue.find(id)).toMatchObject({ examined: 128, state: 'running' }));
    await queue.release(held, 0);
    await work();
    first.stop();
    await dead;
    expect(await queue.find(id)).toMatchObject({ state: 'completed', examined: 150, damaged: 0 });
    expect(sorted).toHaveLength(150);
  });

  it('are not taken for damaged while the store cannot be read', async () => {
    const [unreadable, whole] = [await keep('bad sector'), await keep('whole')];
    const failing = Object.assign(await FileBlobStore.open(folder), {
      read: (...asked: Parameters<FileBlobStore['read']>) => {
        if (asked[0].digest === unreadable.digest) throw new DomainError('ERR_PACK_UNAVAILABLE', 'EIO', { retry: 'later' });
        return store.read(...asked);
      },
    });
    const { id } = await begin();
    await work(new WorkScrub(queue, failing, new QuarantineBlob(records, failing, replaceBlob, new SystemClock()), LIMITS, logger));
    expect(await queue.find(id)).toMatchObject({ state: 'completed', damaged: 0, unreadable: 1, digests: [unreadable.digest] });
    expect([await isIsolated(unreadable), await isIsolated(whole)]).toEqual([false, false]);
  });

  it('are read at the pace that was set', async () => {
    await keep(Buffer.alloc(2 * MIB));
    await begin();
    const started = performance.now();
    await work(new WorkScrub(queue, store, quarantineBlob, { ...LIMITS, bytesPerSecond: 4 * MIB }, logger));
    expect(performance.now() - started).toBeGreaterThan(450);
  });

  it('are put in quarantine by a report only when they are damaged indeed', async () => {
    const blob = await keep('reported');
    expect(await report(blob)).toEqual({ outcome: 'sound' });
    expect(await report({ ...blob, objectKey: 'another' })).toEqual({ outcome: 'unchanged' });
    expect(await report({ ...blob, digest: `sha256:${'0'.repeat(64)}` satisfies Digest })).toEqual({ outcome: 'unchanged' });
    await flip(blob);
    expect(await report(blob)).toEqual({ outcome: 'quarantined' });
    expect(await report(blob)).toEqual({ outcome: 'unchanged' });
  });

  it('repair a damaged record of their blocks themselves', async () => {
    const blob = await keep('a record went bad');
    const admin = await createDataSource({ url: database.adminUrl, applicationName: 'spec', poolSize: 1 }).initialize();
    await admin.query(`update content.blobs set block_checksums = 'bad!' where digest = $1`, [blob.digest]);
    await admin.destroy();
    expect(await report(blob)).toEqual({ outcome: 'quarantined' });
    const now = await records.find(blob.digest);
    expect(now).toMatchObject({ blockChecksums: blob.blockChecksums });
    expect(await isIsolated(blob)).toBe(false);
  });

  it('are replaced by proven bytes alone, and only then removed', async () => {
    const blob = await keep('to be replaced');
    const copy = await store.write(once(Buffer.from('to be replaced')), { maxBytes: 100 });
    expect(await replaceBlob.execute({ blob: copy })).toEqual({ outcome: 'unchanged' });
    await flip(blob);
    await report(blob);
    const wrong = await store.write(once(Buffer.from('to be replacez')), { maxBytes: 100 });
    await expect(replaceBlob.execute({ blob: { ...wrong, digest: blob.digest } })).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    expect(await readFile(pathOf(blob))).toHaveLength(blob.size);
    expect(await replaceBlob.execute({ blob: copy })).toEqual({ outcome: 'replaced' });
    expect(await replaceBlob.execute({ blob: copy })).toEqual({ outcome: 'replaced' });
    expect(await records.find(blob.digest)).toEqual(copy);
    await expect(readFile(pathOf(blob))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('are healed by what the publisher writes anew', async () => {
    const blob = await keep('a manifest');
    await rm(pathOf(blob));
    const bus = new ScriptedCommandBus().answer(QuarantineBlobCommand, request => quarantineBlob.execute(request));
    const reports = new DamageReports(bus, 'publisher', () => undefined);
    const repairing = new RepairingBlobStore(store, reports, records, replaceBlob);
    await expect(repairing.read(blob)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    await eventually(async () => expect(await isIsolated(blob)).toBe(true));
    const written = await repairing.write(once(Buffer.from('a manifest')), { maxBytes: 100 });
    expect(await records.find(blob.digest)).toEqual(written);
  });
});

async function* stuck(): AsyncGenerator<Uint8Array, void> {
  await new Promise<never>(() => undefined);
  yield Buffer.alloc(0);
}
