import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@packs/domain';
import type { BlobRef, BlockReceiver, PouringSource, StoredBlob } from '@packs/ports';
import { eventually } from '@packs/testing';
import { FileBlobStore } from './file-blob-store';

const MIB = 1024 * 1024;
const MAX = 64 * MIB;
const UNUSED = { lent: 0, waiting: 0 };

jest.setTimeout(30_000);

/** Pieces in one memory that is spoilt as soon as they were taken; `pause` is awaited before each. */
function pouring(bytes: Buffer, pause: (at: number) => Promise<void> = () => Promise.resolve()): PouringSource {
  return {
    pour: async take => {
      const memory = Buffer.alloc(64 * 1024);
      for (let at = 0; at < bytes.length; at += memory.length) {
        await pause(at);
        const length = bytes.copy(memory, 0, at);
        await take(memory.subarray(0, length));
        memory.fill(0);
      }
    },
  };
}

/** A client that looks at each block for some turns of the event loop. */
class Reader implements BlockReceiver {
  private readonly parts: Buffer[] = [];
  constructor(private readonly turns: number) {}

  get digest(): string {
    return sha256(Buffer.concat(this.parts));
  }

  async take(block: Uint8Array): Promise<void> {
    for (let turn = 0; turn < this.turns; turn++) await new Promise(setImmediate);
    this.parts.push(Buffer.from(block));
  }

  cut(): void {
    throw new Error('it was on its way');
  }
}

describe('the memory of a FileBlobStore', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'packs-memory-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  const open = (most: number, patienceMs = 60_000) =>
    FileBlobStore.open(root, { filling: { most, patienceMs }, sending: { most, patienceMs } });

  it('is used again by transfers of other bytes, and never for two of them at a time', async () => {
    const store = await open(3);
    const contents = Array.from({ length: 16 }, (_, at) => randomBytes(100_000 + at * 333_333));
    const blobs = await Promise.all(
      contents.map((bytes, at) =>
        store.write(
          pouring(bytes, () => (at % 3 === 0 ? new Promise(setImmediate) : Promise.resolve())),
          { maxBytes: MAX },
        ),
      ),
    );
    expect(blobs.map(({ digest }) => digest)).toEqual(contents.map(sha256));
    const readers = blobs.map((_, at) => new Reader(at % 5));
    await Promise.all([
      ...readers.map((reader, at) => store.deliver(blobs[at] as StoredBlob, reader)),
      ...contents.map(bytes => store.write(pouring(bytes), { maxBytes: MAX, digest: sha256(bytes) })),
    ]);
    expect(readers.map(({ digest }) => digest)).toEqual(blobs.map(({ digest }) => digest));
    expect(store.memory).toEqual({
      filling: { lent: 0, waiting: 0, mostLent: 3, made: 3 },
      sending: { lent: 0, waiting: 0, mostLent: 3, made: 3 },
    });
  });

  it('does not grow with a blob', async () => {
    const store = await open(8);
    const bytes = randomBytes(24 * MIB);
    const blob = await store.write(pouring(bytes), { maxBytes: MAX });
    const reader = new Reader(1);
    await store.deliver(blob, reader);
    expect(reader.digest).toBe(blob.digest);
    expect([store.memory.filling.made, store.memory.sending.made]).toEqual([1, 1]);
  });

  it('is not waited for because a client pauses in its upload', async () => {
    const store = await open(1, 10);
    const [slow, other] = [randomBytes(2 * MIB + 500_000), randomBytes(MIB)];
    const paused = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const pause = async (at: number): Promise<void> => {
      if (at < MIB + 200_000) return;
      paused.resolve();
      await goOn.promise;
    };
    const writing = store.write(pouring(slow, pause), { maxBytes: MAX });
    await paused.promise;
    expect(store.memory.filling.lent).toBe(1);
    expect((await store.write(pouring(other), { maxBytes: MAX })).digest).toBe(sha256(other));
    goOn.resolve();
    const blob: BlobRef = await writing;
    expect(blob).toMatchObject({ digest: sha256(slow), size: slow.length });
    const reader = new Reader(0);
    await store.deliver(blob, reader);
    expect([reader.digest, store.memory.filling]).toEqual([blob.digest, expect.objectContaining(UNUSED)]);
  });

  it('is taken from a client that takes nothing of its download while others wait', async () => {
    const store = await open(1, 10);
    const blob = await store.write(pouring(randomBytes(2 * MIB)), { maxBytes: MAX });
    const end = Promise.withResolvers<void>();
    const stalled: BlockReceiver = { take: () => end.promise, cut: () => end.reject(new Error('cut')) };
    const stalling = store.deliver(blob, stalled).catch((error: unknown) => error);
    await eventually(() => expect(store.memory.sending.lent).toBe(1));
    const reader = new Reader(1);
    await store.deliver(blob, reader);
    expect([reader.digest, await stalling]).toEqual([blob.digest, new Error('cut')]);
    expect(store.memory.sending).toMatchObject(UNUSED);
  });

  it('is given back whatever a transfer fails with', async () => {
    const store = await open(2);
    const bytes = randomBytes(2 * MIB);
    const breaks = (at: number): Promise<void> => (at > MIB ? Promise.reject(new Error('broken')) : Promise.resolve());
    const digest = sha256('something else');
    for (let turn = 0; turn < 3; turn++) {
      await expect(store.write(pouring(bytes, breaks), { maxBytes: MAX })).rejects.toThrow('broken');
      await expect(store.write(pouring(bytes), { maxBytes: MAX, digest })).rejects.toMatchObject({ code: 'ERR_PACK_DIGEST_MISMATCH' });
      await expect(store.write(pouring(bytes), { maxBytes: MIB })).rejects.toMatchObject({ code: 'ERR_PACK_TOO_LARGE' });
    }
    const blob = await store.write(pouring(bytes), { maxBytes: MAX });
    const gone: BlockReceiver = { take: () => Promise.reject(new Error('gone')), cut: () => undefined };
    for (let turn = 0; turn < 3; turn++) await expect(store.deliver(blob, gone)).rejects.toThrow('gone');
    await expect(store.deliver({ ...blob, blockChecksums: Buffer.alloc(8).toString('base64') }, new Reader(0))).rejects.toMatchObject({
      code: 'ERR_PACK_CORRUPT',
    });
    expect(store.memory).toMatchObject({ filling: UNUSED, sending: UNUSED });
  });
});
