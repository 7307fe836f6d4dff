import { createHash, randomBytes } from 'node:crypto';
import { sha256, type Digest, type DigestAlgorithm } from '@packs/domain';
import type { BlobRef, BlobStore, PartialUpload } from '@packs/ports';
import type { BlobStoreUnderTest } from './blob-store.conformance';

const MiB = 1024 * 1024;
const MAX = 64 * MiB;

async function* inChunks(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* failingAfter(bytes: Buffer, failure: Error): AsyncGenerator<Buffer> {
  yield* inChunks(bytes);
  throw failure;
}

function sha512(bytes: Buffer): Digest {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
}

async function readAll(store: BlobStore, blob: BlobRef): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(blob)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** As whoever keeps an upload between two requests gets it back. */
function kept(upload: PartialUpload): PartialUpload {
  return JSON.parse(JSON.stringify(upload)) as PartialUpload;
}

async function add(store: BlobStore, upload: PartialUpload, bytes: Buffer): Promise<PartialUpload> {
  return kept((await store.append(upload, inChunks(bytes), MAX)).upload);
}

/** What every BlobStore promises of uploads that arrive in pieces. */
export function describeUploads(subject: () => BlobStoreUnderTest): void {
  describePieces(subject);
  describeInterruptions(subject);
  describeProofs(subject);
  describeEndings(subject);
}

function describePieces(subject: () => BlobStoreUnderTest): void {
  const sizes: [string, number[]][] = [
    ['nothing', []],
    ['empty pieces', [0, 0]],
    ['one byte at a time', [1, 1, 1]],
    ['one piece of several blocks', [3 * MiB + 5]],
    ['pieces that end at the edges of blocks', [MiB, MiB, MiB]],
    ['pieces around the edges of blocks', [MiB - 1, 2, MiB - 1, 0, 3 * MiB + 7, 11]],
    ['pieces around the edges of eight blocks', [8 * MiB - 1, 1, 8 * MiB + 1, 5]],
  ];

  it.each(sizes)(
    'makes one blob of %s, in one process and in several',
    async (_, pieces) => {
      const stores = [[subject().store], [subject().store, await subject().another()]];
      for (const replicas of stores) {
        const parts = pieces.map(size => randomBytes(size));
        const bytes = Buffer.concat(parts);
        let upload = kept(await subject().store.begin('sha256'));
        const replica = (turn: number): BlobStore => replicas[turn % replicas.length] ?? subject().store;
        for (const [turn, part] of parts.entries()) {
          upload = await add(replica(turn), upload, part);
          expect(upload.size).toBe(Buffer.concat(parts.slice(0, turn + 1)).length);
        }
        const blob = await replica(parts.length).finish(upload, sha256(bytes));
        expect(blob).toMatchObject({ digest: sha256(bytes), size: bytes.length });
        expect(Buffer.from(blob.blockChecksums, 'base64')).toHaveLength(Math.ceil(bytes.length / MiB) * 4);
        expect((await readAll(subject().store, blob)).equals(bytes)).toBe(true);
      }
      expect(await subject().readable()).toHaveLength(2);
      expect(await subject().leftovers()).toEqual([]);
    },
    30_000,
  );

  it('shows nothing of an upload before it is finished', async () => {
    const { store, readable } = subject();
    const upload = await add(store, await store.begin('sha256'), randomBytes(2 * MiB));
    expect(await readable()).toEqual([]);
    await store.discard(upload);
    expect(await readable()).toEqual([]);
  });
}

function describeInterruptions(subject: () => BlobStoreUnderTest): void {
  it.each([0, 100_000, 2 * MiB + 3, 9 * MiB])('keeps the %i bytes that came before the source failed', async size => {
    const { store } = subject();
    const bytes = randomBytes(size + 1000);
    const failure = new Error('the connection was cut');
    const piece = await store.append(await store.begin('sha256'), failingAfter(bytes.subarray(0, size), failure), MAX);
    expect(piece.interrupted).toBe(failure);
    expect(piece.upload.size).toBe(size);
    const upload = await add(store, kept(piece.upload), bytes.subarray(size));
    const blob = await store.finish(upload, sha256(bytes));
    expect((await readAll(store, blob)).equals(bytes)).toBe(true);
  });

  it('goes on from what was reported, when a later piece was written and not', async () => {
    const { store, another } = subject();
    const bytes = randomBytes(3 * MiB);
    const upload = await add(store, await store.begin('sha256'), bytes.subarray(0, MiB + 1));
    await add(store, upload, randomBytes(MiB));
    await add(await another(), upload, randomBytes(10));
    const whole = await add(store, upload, bytes.subarray(MiB + 1));
    const blob = await store.finish(whole, sha256(bytes));
    expect((await readAll(store, blob)).equals(bytes)).toBe(true);
  });

  it('is not disturbed by a caller that still writes after another has finished', async () => {
    const { store, another } = subject();
    const bytes = randomBytes(2 * MiB);
    const upload = await add(store, await store.begin('sha256'), bytes.subarray(0, MiB));
    let finished = (): void => {};
    const end = new Promise<void>(resolve => (finished = resolve));
    const slow = (async function* () {
      yield randomBytes(100);
      await end;
      yield randomBytes(2 * MiB);
    })();
    const late = store.append(upload, slow, MAX).catch((error: unknown) => error);
    const other = await another();
    const blob = await other.finish(await add(other, upload, bytes.subarray(MiB)), sha256(bytes));
    finished();
    await late;
    expect((await readAll(store, blob)).equals(bytes)).toBe(true);
  });
}

const CONTENT = randomBytes(2 * MiB + 9);

async function uploaded(store: BlobStore, algorithm: DigestAlgorithm = 'sha256'): Promise<PartialUpload> {
  return add(store, await store.begin(algorithm), CONTENT);
}

function describeProofs(subject: () => BlobStoreUnderTest): void {
  it.each([
    ['sha256', 'sha512'],
    ['sha512', 'sha256'],
    ['sha512', 'sha512'],
  ] as const)('proves an upload begun for %s by %s', async (algorithm, proven) => {
    const { store, another } = subject();
    const digest = proven === 'sha512' ? sha512(CONTENT) : sha256(CONTENT);
    for (const finisher of [store, await another()]) {
      const blob = await finisher.finish(await uploaded(store, algorithm), digest);
      expect(blob).toMatchObject({ digest, size: CONTENT.length });
      expect((await readAll(store, blob)).equals(CONTENT)).toBe(true);
    }
  });

  it('leaves nothing of an upload that hashes to another digest', async () => {
    const { store, another, readable, leftovers } = subject();
    for (const finisher of [store, await another()]) {
      const upload = await uploaded(store);
      await expect(finisher.finish(upload, sha256('something else'))).rejects.toMatchObject({ code: 'ERR_PACK_DIGEST_MISMATCH' });
      await expect(finisher.finish(upload, sha256(CONTENT))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    }
    expect([await readable(), await leftovers()]).toEqual([[], []]);
  });
}

function describeEndings(subject: () => BlobStoreUnderTest): void {
  it('finishes once', async () => {
    const { store, another, readable } = subject();
    const upload = await uploaded(store);
    const blob = await store.finish(upload, sha256(CONTENT));
    for (const finisher of [store, await another()]) {
      await expect(finisher.finish(upload, sha256(CONTENT))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await expect(finisher.append(upload, inChunks(CONTENT), MAX)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    }
    expect(await readable()).toEqual([blob.objectKey]);
    expect((await readAll(store, blob)).equals(CONTENT)).toBe(true);
  });

  it('gives callers that finish at the same time whole blobs or nothing', async () => {
    const { store, another, readable } = subject();
    const upload = await uploaded(store);
    const callers = [store, store, await another()];
    const answers = await Promise.allSettled(callers.map(caller => caller.finish(upload, sha256(CONTENT))));
    const blobs = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(blobs.length).toBeGreaterThan(0);
    for (const blob of blobs) expect((await readAll(store, blob)).equals(CONTENT)).toBe(true);
    expect(new Set(await readable())).toEqual(new Set(blobs.map(blob => blob.objectKey)));
  });

  it('takes no byte too many, and keeps the upload as it was', async () => {
    const { store, leftovers } = subject();
    const upload = await uploaded(store);
    const most = CONTENT.length + 10;
    await expect(store.append(upload, inChunks(randomBytes(11)), most)).rejects.toMatchObject({ code: 'ERR_PACK_TOO_LARGE' });
    const fits = await store.append(upload, inChunks(Buffer.alloc(10)), most);
    await store.finish(fits.upload, sha256(Buffer.concat([CONTENT, Buffer.alloc(10)])));
    expect(await leftovers()).toEqual([]);
  });

  it('discards an upload, and takes its absence for success', async () => {
    const { store, another, readable, leftovers } = subject();
    const upload = await uploaded(store);
    await (await another()).discard(upload);
    await store.discard(upload);
    await store.discard(await store.begin('sha256'));
    expect([await readable(), await leftovers()]).toEqual([[], []]);
    await expect(store.append(upload, inChunks(CONTENT), MAX)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    await expect(store.finish(upload, sha256(CONTENT))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('says so when what was uploaded is gone', async () => {
    const { store, another, loseUploads, readable } = subject();
    const upload = await uploaded(store);
    await loseUploads();
    for (const caller of [store, await another()]) {
      await expect(caller.append(upload, inChunks(CONTENT), MAX)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await expect(caller.finish(upload, sha256(CONTENT))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    }
    expect(await readable()).toEqual([]);
  });
}
