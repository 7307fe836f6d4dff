import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { sha256 } from '@packs/domain';
import type { BlobRef, PartialUpload, StoredBlob } from '@packs/ports';
import { eventually, TestS3 } from '@packs/testing';
import { FaultProxy } from './fault-proxy.fixture';
import { S3BlobStore } from './s3-blob-store';
import type { S3Patience } from './s3-bucket';
import { s3Location } from './s3-location';

const MiB = 1024 * 1024;
const SMALL = randomBytes(100_000);
/** Of what S3 allows the smallest. */
const PART_BYTES = 5 * MiB;
const LARGE = randomBytes(PART_BYTES + 3);
const MAX = 64 * MiB;
const PATIENT: S3Patience = { deadlineMs: 20_000, attempts: 3, backoffMs: 5 };
/** Only for objects so small that a busy machine moves them at once. */
const HASTY: S3Patience = { deadlineMs: 1_000, attempts: 3, backoffMs: 5 };

async function* inChunks(bytes: Buffer, size = 1_000_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const unavailable = { code: 'ERR_PACK_UNAVAILABLE', retry: 'later' };

let server: TestS3;
let proxy: FaultProxy;
let store: S3BlobStore;
let name: string;
let stores = 0;

const openWith = (patience: S3Patience): S3BlobStore =>
  new S3BlobStore({ ...s3Location(server.addressOf(name, proxy.port)), partBytes: PART_BYTES }, server.credentials, patience);
const write = (bytes: Buffer): Promise<StoredBlob> => store.write(inChunks(bytes), { maxBytes: MAX });
const readAll = async (blob: BlobRef & Partial<StoredBlob>): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(blob)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
};
const uploaded = async (bytes: Buffer): Promise<PartialUpload> =>
  (await store.append(await store.begin('sha256'), inChunks(bytes), MAX)).upload;
const readable = (): readonly string[] => server.list(`${name}/blobs`);

// Each moves tens of MiB through a proxy.
jest.setTimeout(60_000);

const { isWanted, note } = TestS3.peer;
const suite = isWanted ? describe : describe.skip;

suite(`S3BlobStore and an object store that fails${note}`, () => {
  beforeAll(async () => {
    server = await TestS3.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    name = `faults-${stores++}`;
    store = openWith(PATIENT);
  });
  afterEach(async () => {
    store.close();
    await proxy.stop();
  });

  describe('by its answers', describeAnswers);
  describe('by losing them', describeLosses);
  describe('by its bytes', describeBytes);
  describe('altogether', describeOutages);
});

function describeAnswers(): void {
  it.each(['refuse', 'lose'] as const)(
    'does not notice when each request has to be made twice: %s',
    async fault => {
      // A begin that was heard and not answered leaves an upload behind, which nobody knows.
      proxy.plan = ({ what, times }) => (times === 0 && what !== 'POST begin' ? fault : 'pass');
      for (const bytes of [SMALL, LARGE]) {
        const blob = await write(bytes);
        const second = await store.finish(await uploaded(bytes), sha256(bytes));
        for (const one of [blob, second]) expect((await readAll(one)).equals(bytes)).toBe(true);
        await store.remove(second.objectKey);
        await store.discard(await uploaded(bytes));
      }
      expect(readable()).toHaveLength(2);
      expect([...server.list(`${name}/uploads`), ...server.unfinished()]).toEqual([]);
      expect(proxy.asked).toEqual(expect.arrayContaining(['PUT blob', 'PUT part', 'POST complete', 'GET blob', 'PUT tail', 'DELETE blob']));
    },
    30_000,
  );

  it.each(['PUT blob', 'POST begin', 'PUT part', 'POST complete', 'GET blob'])('stores nothing when every %s fails', async broken => {
    proxy.plan = ({ what }) => (what === broken ? 'refuse' : 'pass');
    const bytes = broken === 'PUT blob' ? SMALL : LARGE;
    await expect(write(bytes)).rejects.toMatchObject(unavailable);
    expect([...readable(), ...server.unfinished()]).toEqual([]);
    expect(proxy.asked.filter(what => what === broken)).toHaveLength(PATIENT.attempts);
  });

  it('says that it may not, rather than that nothing is there', async () => {
    const blob = await write(SMALL);
    const stranger = new S3BlobStore(s3Location(server.addressOf(name)), { accessKey: 'nobody', secretKey: 'nothing' }, PATIENT);
    await expect(stranger.write(inChunks(SMALL), { maxBytes: MAX })).rejects.toMatchObject(unavailable);
    await expect(stranger.read(blob)[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
    await expect(stranger.check()).rejects.toThrow();
    stranger.close();
  });
}

function describeLosses(): void {
  it('keeps an upload for when the store is back', async () => {
    let upload = await uploaded(SMALL);
    proxy.plan = () => 'refuse';
    await expect(store.append(upload, inChunks(LARGE), MAX)).rejects.toMatchObject(unavailable);
    await expect(store.finish(upload, sha256(SMALL))).rejects.toMatchObject(unavailable);
    proxy.plan = () => 'pass';
    upload = (await store.append(upload, inChunks(LARGE), MAX)).upload;
    proxy.plan = ({ what }) => (what === 'POST complete' ? 'refuse' : 'pass');
    await expect(store.finish(upload, sha256(Buffer.concat([SMALL, LARGE])))).rejects.toMatchObject(unavailable);
    proxy.plan = () => 'pass';
    const blob = await store.finish(upload, sha256(Buffer.concat([SMALL, LARGE])));
    expect((await readAll(blob)).equals(Buffer.concat([SMALL, LARGE]))).toBe(true);
  });

  it('gives up on a store that does not answer', async () => {
    store.close();
    store = openWith(HASTY);
    const blob = await write(SMALL);
    proxy.plan = ({ times }) => (times === 0 ? 'stall' : 'pass');
    expect((await readAll(await write(SMALL))).equals(SMALL)).toBe(true);
    proxy.plan = () => 'stall';
    await expect(write(SMALL)).rejects.toMatchObject(unavailable);
    await expect(readAll(blob)).rejects.toMatchObject(unavailable);
  });

  it('finds out what became of an upload when nobody said that it is complete', async () => {
    const upload = await uploaded(LARGE);
    // Heard once, and refused whenever it is asked again.
    proxy.plan = ({ what, times }) => (what !== 'POST complete' ? 'pass' : times === 0 ? 'lose' : 'refuse');
    const blob = await store.finish(upload, sha256(LARGE));
    expect((await readAll(blob)).equals(LARGE)).toBe(true);
    expect(readable()).toEqual([blob.objectKey]);
  });

  it('asks again when a complete is denied in a body', async () => {
    proxy.plan = ({ what, times }) => (what === 'POST complete' && times === 0 ? 'deny in a body' : 'pass');
    expect((await readAll(await write(LARGE))).equals(LARGE)).toBe(true);
    expect(proxy.asked.filter(what => what === 'POST complete')).toHaveLength(2);
  });
}

function describeBytes(): void {
  it('goes on reading where an answer was cut, and never beyond', async () => {
    const blob = await write(LARGE);
    proxy.plan = ({ times }) => (times === 0 ? 'cut' : 'pass');
    expect((await readAll(blob)).equals(LARGE)).toBe(true);
    proxy.plan = () => 'cut';
    const given: Uint8Array[] = [];
    const reading = (async () => {
      for await (const part of store.read(blob)) given.push(Buffer.from(part));
    })();
    await expect(reading).rejects.toMatchObject(unavailable);
    const bytes = Buffer.concat(given);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.length).toBeLessThan(LARGE.length);
    expect(bytes.equals(LARGE.subarray(0, bytes.length))).toBe(true);
  });

  it('does not take a store’s word for what it keeps', async () => {
    proxy.plan = ({ what }) => (what === 'GET blob' ? 'alter' : 'pass');
    for (const bytes of [SMALL, LARGE]) {
      await expect(write(bytes)).rejects.toMatchObject(unavailable);
      await expect(store.finish(await uploaded(bytes), sha256(bytes))).rejects.toMatchObject({ code: 'ERR_PACK_DIGEST_MISMATCH' });
    }
    expect(readable()).toEqual([]);
  });

  it('refuses bytes that were altered on their way', async () => {
    const blob = await write(SMALL);
    proxy.plan = () => 'alter';
    await expect(readAll(blob)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });
}

function describeOutages(): void {
  it('says so when the parts of an upload are gone', async () => {
    const upload = await uploaded(LARGE);
    server.loseUnfinished();
    await expect(store.append(upload, inChunks(LARGE), MAX)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    await expect(store.finish(upload, sha256(LARGE))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('is not ready while the store is down, and goes on when it is back', async () => {
    const blob = await write(SMALL);
    await server.kill();
    await expect(store.check()).rejects.toThrow();
    await expect(write(SMALL)).rejects.toMatchObject(unavailable);
    await server.start();
    await store.check();
    expect((await readAll(blob)).equals(SMALL)).toBe(true);
  });

  it('shows nothing of a writer that was killed half-way', async () => {
    proxy.plan = ({ what }) => (what === 'POST complete' || what === 'PUT blob' ? 'stall' : 'pass');
    for (const size of [SMALL.length, LARGE.length]) {
      const writer = spawn(process.execPath, writing(size, server.addressOf(name, proxy.port), server.credentials), { stdio: 'inherit' });
      const last = size === LARGE.length ? 'POST complete' : 'PUT blob';
      await eventually(() => expect(proxy.asked).toContain(last), 30_000);
      writer.kill('SIGKILL');
      await once(writer, 'exit');
    }
    expect(readable()).toEqual([]);
  });
}

/** A process that writes one blob of so many bytes. */
function writing(size: number, address: string, credentials: object): string[] {
  const script = `
    const { S3BlobStore } = require(${JSON.stringify(join(__dirname, 's3-blob-store.ts'))});
    const { s3Location } = require(${JSON.stringify(join(__dirname, 's3-location.ts'))});
    const location = { ...s3Location(${JSON.stringify(address)}), partBytes: ${PART_BYTES} };
    const store = new S3BlobStore(location, ${JSON.stringify(credentials)});
    store.write((async function* () { yield Buffer.alloc(${size}); })(), { maxBytes: ${size} }).then(() => process.exit(0), () => process.exit(1));`;
  return ['--require', join(__dirname, '..', '..', '..', '..', 'tools', 'testing', 'typescript.cjs'), '--eval', script];
}
