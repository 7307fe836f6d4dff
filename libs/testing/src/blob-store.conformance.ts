import { createHash, randomBytes } from 'node:crypto';
import { DomainError, sha256, type Digest } from '@packs/domain';
import type { BlobRef, BlobStore, BlockReceiver, ByteRange, PouringSource, StoredBlob } from '@packs/ports';
import { describeUploads } from './blob-store-uploads.conformance';

/** One implementation, and what the suite needs to look behind it. */
export interface BlobStoreUnderTest {
  readonly store: BlobStore;
  /** Keys of the objects that can be read. */
  readable(): Promise<readonly string[]>;
  /** Everything else that takes up room. */
  leftovers(): Promise<readonly string[]>;
  /** Puts other bytes in an object's place; null takes it away. */
  replace(objectKey: string, bytes: Buffer | null): Promise<void>;
  /** The same store as another process opens it. */
  another(): Promise<BlobStore>;
  /** Takes away the bytes of uploads that are not finished. */
  loseUploads(): Promise<void>;
  close(): Promise<void>;
}

const BLOCK = 1024 * 1024;
const MAX = 8 * BLOCK;

async function* inPieces(bytes: Buffer, size = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(store: BlobStore, blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(blob, range)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** As a receiver gets it that looks at each block until the last moment. */
async function deliverAll(store: BlobStore, blob: BlobRef & Partial<StoredBlob>, range?: ByteRange): Promise<Buffer> {
  const parts: Buffer[] = [];
  await store.deliver(blob, keeping(parts), range);
  return Buffer.concat(parts);
}

function keeping(parts: Buffer[]): BlockReceiver {
  return {
    take: async block => {
      await new Promise(setImmediate);
      parts.push(Buffer.from(block));
    },
    cut: () => undefined,
  };
}

const READINGS = ['read', 'deliver'] as const;

/** What a read hands on before it fails, and how it fails. */
async function readUntilFailure(
  store: BlobStore,
  blob: StoredBlob,
  reading: (typeof READINGS)[number] = 'read',
): Promise<{ given: Buffer; code: unknown }> {
  const parts: Buffer[] = [];
  try {
    if (reading === 'deliver') await store.deliver(blob, keeping(parts));
    else for await (const part of store.read(blob)) parts.push(Buffer.from(part));
  } catch (error) {
    return { given: Buffer.concat(parts), code: error instanceof DomainError ? error.code : error };
  }
  return { given: Buffer.concat(parts), code: undefined };
}

/** What every BlobStore promises. */
export function describeBlobStore(name: string, open: () => Promise<BlobStoreUnderTest>): void {
  describe(`${name} as a BlobStore`, () => {
    let subject: BlobStoreUnderTest;
    let store: BlobStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.close());
    const write = (bytes: Buffer) => store.write(inPieces(bytes), { maxBytes: MAX });

    describeWriting(() => subject);
    describeBytesInMemory(() => subject);

    describe.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])('with %i bytes', size => {
      it('gives back what was written, whole and in part', async () => {
        const bytes = randomBytes(size);
        const blob = await write(bytes);
        expect(blob).toMatchObject({ digest: sha256(bytes), size });
        expect(Buffer.from(blob.blockChecksums, 'base64')).toHaveLength(Math.ceil(size / BLOCK) * 4);
        expect((await readAll(store, blob)).equals(bytes)).toBe(true);
        const { blockChecksums: _, ...unchecked } = blob;
        expect((await readAll(store, unchecked)).equals(bytes)).toBe(true);
        expect((await deliverAll(store, blob)).equals(bytes)).toBe(true);
        for (const [start, end] of rangesOf(size)) {
          expect((await readAll(store, blob, { start, end })).equals(bytes.subarray(start, end + 1))).toBe(true);
          expect((await deliverAll(store, blob, { start, end })).equals(bytes.subarray(start, end + 1))).toBe(true);
        }
      });
    });

    it('gives every write a key of its own, the same bytes at the same time included', async () => {
      const bytes = randomBytes(200_000);
      const blobs = await Promise.all(Array.from({ length: 12 }, () => write(bytes)));
      await store.remove(blobs[0]?.objectKey ?? '');
      blobs.push(await write(bytes));
      expect(new Set(blobs.map(blob => blob.objectKey)).size).toBe(13);
      expect(new Set(blobs.map(blob => blob.digest))).toEqual(new Set([sha256(bytes)]));
      for (const blob of blobs.slice(1)) expect((await readAll(store, blob)).equals(bytes)).toBe(true);
    });

    it('removes an object, and takes its absence for success', async () => {
      const blob = await write(randomBytes(10));
      const other = await write(randomBytes(10));
      await store.remove(blob.objectKey);
      await store.remove(blob.objectKey);
      expect(await subject.readable()).toEqual([other.objectKey]);
      expect(await readUntilFailure(store, blob)).toEqual({ given: Buffer.alloc(0), code: 'ERR_PACK_CORRUPT' });
    });

    it('reports that it can be written to', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });

    describePouring(() => subject);
    describeDelivery(() => subject);
    describeDamage(() => subject);
    describeUploads(() => subject);
  });
}

/** First byte, last byte, and what lies around each block's edge. */
function rangesOf(size: number): [number, number][] {
  const edges = [0, BLOCK - 1, BLOCK, 2 * BLOCK, size - 1].filter(at => at >= 0 && at < size);
  return edges.flatMap(start => edges.filter(end => end >= start).map((end): [number, number] => [start, end]));
}

/** As a request gives its body: pieces in memory that it uses again, the next when the last was taken. */
function pouring(bytes: Buffer, failure?: Error): PouringSource {
  return {
    pour: async take => {
      const memory = Buffer.alloc(60_000);
      for (let at = 0; at < bytes.length; at += memory.length) {
        const length = bytes.copy(memory, 0, at);
        await take(memory.subarray(0, length));
        memory.fill(0);
      }
      if (failure) throw failure;
    },
  };
}

function describeWriting(subject: () => BlobStoreUnderTest): void {
  it('shows nothing before the last byte was taken', async () => {
    const { store, readable } = subject();
    const during: (readonly string[])[] = [];
    const source = (async function* () {
      for (let at = 0; at < 3; at++) {
        yield randomBytes(BLOCK);
        during.push(await readable());
      }
    })();
    const blob = await store.write(source, { maxBytes: MAX });
    expect(during).toEqual([[], [], []]);
    expect(await readable()).toEqual([blob.objectKey]);
  });

  it.each([
    ['a source that fails', 'the source broke', {}],
    ['another digest than declared', 'ERR_PACK_DIGEST_MISMATCH', { digest: sha256('something else') }],
    ['one byte too many', 'ERR_PACK_TOO_LARGE', { maxBytes: 3 * BLOCK - 1 }],
  ])('leaves nothing after %s', async (what, reason, expectation) => {
    const { store, readable, leftovers } = subject();
    const source = (async function* () {
      for (let at = 0; at < 3; at++) yield randomBytes(BLOCK);
      if (what === 'a source that fails') throw new Error('the source broke');
    })();
    const failure = await store.write(source, { maxBytes: MAX, ...expectation }).catch((error: unknown) => error);
    expect(failure instanceof DomainError ? failure.code : (failure as Error).message).toBe(reason);
    expect(await readable()).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  it.each(['sha256', 'sha512'] as const)('addresses bytes by the algorithm of the declared digest: %s', async algorithm => {
    const { store } = subject();
    const bytes = randomBytes(2 * BLOCK + 1);
    const digest: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
    expect((await store.write(inPieces(bytes), { maxBytes: MAX, digest })).digest).toBe(digest);
    const other: Digest = `${algorithm}:${createHash(algorithm).update('').digest('hex')}`;
    await expect(store.write(inPieces(bytes), { maxBytes: MAX, digest: other })).rejects.toMatchObject({
      code: 'ERR_PACK_DIGEST_MISMATCH',
    });
  });

  it('takes exactly as many bytes as it may', async () => {
    const { store } = subject();
    const bytes = randomBytes(1000);
    const blob = await store.write(inPieces(bytes, 7), { maxBytes: 1000, digest: sha256(bytes) });
    expect(blob.size).toBe(1000);
    await expect(store.write(inPieces(bytes, 7), { maxBytes: 0 })).rejects.toMatchObject({ code: 'ERR_PACK_TOO_LARGE' });
    expect((await store.write(inPieces(Buffer.alloc(0)), { maxBytes: 0 })).size).toBe(0);
  });

  it('stops taking bytes once there are too many', async () => {
    let given = 0;
    const source = (async function* () {
      for (; ; given++) yield Buffer.alloc(1000);
    })();
    await expect(subject().store.write(source, { maxBytes: 10_000 })).rejects.toMatchObject({ code: 'ERR_PACK_TOO_LARGE' });
    expect(given).toBe(10);
  });
}

function describePouring(subject: () => BlobStoreUnderTest): void {
  it('takes what pours, and leaves nothing of it when it breaks off or is too much', async () => {
    const { store, readable, leftovers } = subject();
    const bytes = randomBytes(2 * BLOCK + 77);
    const blob = await store.write(pouring(bytes), { maxBytes: MAX });
    expect([blob.digest, (await readAll(store, blob)).equals(bytes)]).toEqual([sha256(bytes), true]);
    const broken = new Error('the connection broke');
    await expect(store.write(pouring(bytes, broken), { maxBytes: MAX })).rejects.toBe(broken);
    await expect(store.write(pouring(bytes), { maxBytes: bytes.length - 1 })).rejects.toMatchObject({ code: 'ERR_PACK_TOO_LARGE' });
    expect([await readable(), await leftovers()]).toEqual([[blob.objectKey], []]);
  });
}

function describeDelivery(subject: () => BlobStoreUnderTest): void {
  it('hands each receiver its own blob, however many there are at a time', async () => {
    const { store } = subject();
    const contents = Array.from({ length: 6 }, (_, at) => randomBytes(BLOCK + at * 1000));
    const blobs = await Promise.all(contents.map(bytes => store.write(inPieces(bytes), { maxBytes: MAX })));
    const received = await Promise.all([...blobs, ...blobs].map(blob => deliverAll(store, blob)));
    expect(received.map(sha256)).toEqual([...blobs, ...blobs].map(({ digest }) => digest));
  });

  it('ends with the failure of its receiver, and gives it no more', async () => {
    const { store } = subject();
    const blob = await store.write(inPieces(randomBytes(3 * BLOCK)), { maxBytes: MAX });
    const gone = new Error('the client went away');
    let taken = 0;
    const take = async (): Promise<void> => {
      taken++;
      throw gone;
    };
    await expect(store.deliver(blob, { take, cut: () => undefined })).rejects.toBe(gone);
    expect(taken).toBe(1);
    expect(await deliverAll(store, blob)).toHaveLength(blob.size);
  });
}

function describeDamage(subject: () => BlobStoreUnderTest): void {
  const bytes = randomBytes(3 * BLOCK + 5);
  const flippedAt = (at: number): Buffer => {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at);
    return damaged;
  };
  const damage: [string, Buffer | null][] = [
    ['a flipped bit in the first byte', flippedAt(0)],
    ['a flipped bit in the middle', flippedAt(BLOCK + 17)],
    ['a flipped bit in the last byte', flippedAt(bytes.length - 1)],
    ['a missing last byte', bytes.subarray(0, -1)],
    ['a byte too many', Buffer.concat([bytes, Buffer.of(0)])],
    ['no bytes', Buffer.alloc(0)],
    ['no object', null],
    [
      'two blocks in each other’s place',
      Buffer.concat([bytes.subarray(BLOCK, 2 * BLOCK), bytes.subarray(0, BLOCK), bytes.subarray(2 * BLOCK)]),
    ],
    ['other bytes of the same length', randomBytes(bytes.length)],
  ];

  it.each(damage)('refuses %s and hands on no wrong byte', async (_, damaged) => {
    const { store, replace } = subject();
    const blob = await store.write(inPieces(bytes), { maxBytes: MAX });
    await replace(blob.objectKey, damaged);
    for (const reading of READINGS) {
      const { given, code } = await readUntilFailure(store, blob, reading);
      expect(code).toBe('ERR_PACK_CORRUPT');
      expect(given.equals(bytes.subarray(0, given.length))).toBe(true);
      expect(given.length % BLOCK).toBe(0);
    }
  });

  it('still gives the blocks that are whole', async () => {
    const { store, replace } = subject();
    const blob = await store.write(inPieces(bytes), { maxBytes: MAX });
    await replace(blob.objectKey, flippedAt(BLOCK + 17));
    const range = { start: 2 * BLOCK, end: bytes.length - 1 };
    expect((await readAll(store, blob, range)).equals(bytes.subarray(2 * BLOCK))).toBe(true);
    await expect(readAll(store, blob, { start: BLOCK, end: BLOCK })).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });
}

function describeBytesInMemory(subject: () => BlobStoreUnderTest): void {
  it.each([0, 1, 5_000, BLOCK + 1])('writes %i bytes that are in memory like any others, and reads them in one go', async size => {
    const { store } = subject();
    const bytes = randomBytes(size);
    const [blob, streamed] = [await store.writeBytes(bytes, sha256(bytes)), await store.write(inPieces(bytes), { maxBytes: MAX })];
    expect(blob).toEqual({ ...streamed, objectKey: blob.objectKey });
    for (const one of [blob, streamed]) {
      expect((await store.readBytes(one)).equals(bytes)).toBe(true);
      expect((await readAll(store, one)).equals(bytes)).toBe(true);
    }
  });

  it('leaves nothing of bytes in memory that are not the declared digest’s', async () => {
    const { store, readable, leftovers } = subject();
    await expect(store.writeBytes(randomBytes(10), sha256('else'))).rejects.toMatchObject({ code: 'ERR_PACK_DIGEST_MISMATCH' });
    expect([await readable(), await leftovers()]).toEqual([[], []]);
  });

  it('does not read in one go what is missing, too short or too long', async () => {
    const { store, replace } = subject();
    const blob = await store.writeBytes(randomBytes(10));
    for (const bytes of [randomBytes(9), randomBytes(11), null]) {
      await replace(blob.objectKey, bytes);
      await expect(store.readBytes(blob)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    }
  });
}
