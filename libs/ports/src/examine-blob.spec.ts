import { contentDigest, DomainError } from '@packs/domain';
import { InMemoryBlobStore } from '@packs/testing';
import type { StoredBlob } from './blob-store';
import { examineBlob } from './examine-blob';

const BYTES = Buffer.alloc(2 * 1024 * 1024 + 5, 'pack');

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

describe('examineBlob', () => {
  let store: InMemoryBlobStore;
  let blob: StoredBlob;
  beforeEach(async () => {
    store = new InMemoryBlobStore();
    blob = await store.write(once(BYTES), { maxBytes: BYTES.length });
  });
  const put = (bytes: Buffer) => store.objects.set(blob.objectKey, bytes);
  const flipped = (): Buffer => {
    const bytes = Buffer.from(BYTES);
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    return bytes;
  };

  it('finds whole bytes sound, of either algorithm, and tells what it passed', async () => {
    let passed = 0;
    expect(await examineBlob(store, blob, async bytes => void (passed += bytes))).toBe('sound');
    expect(passed).toBe(BYTES.length);
    const digest = contentDigest(BYTES, 'sha512');
    const long = await store.write(once(BYTES), { maxBytes: BYTES.length, digest });
    expect([long.digest, await examineBlob(store, long)]).toEqual([digest, 'sound']);
  });

  it.each<[string, () => void]>([
    ['a flipped bit', () => put(flipped())],
    ['a truncated object', () => put(BYTES.subarray(0, -1))],
    ['a longer object', () => put(Buffer.concat([BYTES, BYTES]))],
    ['another object of the same size', () => put(Buffer.alloc(BYTES.length))],
    ['a missing object', () => store.objects.delete(blob.objectKey)],
  ])('finds %s', async (_, damage) => {
    damage();
    expect(await examineBlob(store, blob)).toBe('damaged');
  });

  it('finds altered bytes whose checksums were altered with them', async () => {
    const other = await store.write(once(flipped()), { maxBytes: BYTES.length });
    expect(await examineBlob(store, { ...other, digest: blob.digest })).toBe('damaged');
  });

  it('tells an altered record from altered bytes', async () => {
    expect(await examineBlob(store, { ...blob, blockChecksums: 'AAAAAAAAAAAAAAAA' })).toBe('checksums');
    expect(await examineBlob(store, { ...blob, blockChecksums: '' })).toBe('checksums');
  });

  it('takes no fault of the store for damage', async () => {
    const down = new DomainError('ERR_PACK_UNAVAILABLE', 'down', { retry: 'later' });
    jest.spyOn(store, 'read').mockImplementation(() => {
      throw down;
    });
    await expect(examineBlob(store, blob)).rejects.toBe(down);
  });

  it('believes no damage that a second reading does not find, nor any while the store is not well', async () => {
    const read = store.read.bind(store);
    jest.spyOn(store, 'read').mockImplementationOnce(asked => read({ ...asked, objectKey: 'elsewhere' }));
    expect(await examineBlob(store, blob)).not.toBe('damaged');
    store.objects.clear();
    jest.spyOn(store, 'check').mockRejectedValue(new Error('not mounted'));
    await expect(examineBlob(store, blob)).rejects.toThrow('not mounted');
  });
});
