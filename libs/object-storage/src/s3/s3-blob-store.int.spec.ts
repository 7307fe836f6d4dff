import { rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { sha256 } from '@packs/domain';
import { describeBlobStore, TestS3 } from '@packs/testing';
import { S3BlobStore } from './s3-blob-store';
import { s3Location } from './s3-location';

// The same tests as of a disk, with every byte over a connection three times.
jest.setTimeout(60_000);

const { isWanted, note } = TestS3.peer;
const suite = isWanted ? describe : describe.skip;

suite(`S3BlobStore on a real S3 server${note}`, () => {
  let server: TestS3;
  let stores = 0;
  const opened: S3BlobStore[] = [];
  beforeAll(async () => {
    server = await TestS3.start();
  });
  afterAll(() => server.stop());
  afterEach(() => opened.splice(0).forEach(store => store.close()));

  const open = (name: string): S3BlobStore => {
    const store = new S3BlobStore(s3Location(server.addressOf(name)), server.credentials);
    opened.push(store);
    return store;
  };

  describeBlobStore('S3BlobStore', async () => {
    const name = `store-${stores++}`;
    const fileOf = (key: string): string => server.fileOf(`${name}/blobs/${key}`);
    return {
      store: open(name),
      readable: async () => server.list(`${name}/blobs`),
      leftovers: async () => [...server.list(`${name}/uploads`), ...server.unfinished()],
      replace: (key, bytes) => (bytes ? writeFile(fileOf(key), bytes) : rm(fileOf(key))),
      another: async () => open(name),
      loseUploads: async () => {
        server.loseUnfinished();
        for (const key of server.list(`${name}/uploads`)) await rm(server.fileOf(`${name}/uploads/${key}`));
      },
      close: async () => {},
    };
  });

  it('goes on with no upload whose state it did not make, and has nothing of it to discard', async () => {
    const store = open('foreign');
    const key = 'a'.repeat(26);
    for (const state of [
      {},
      { pieces: [] },
      { key: '../blobs/x', etags: [] },
      { key, etags: ['x'] },
      { key, etags: [], tail: { key } },
      { key, etags: [] },
    ]) {
      const upload = { size: 1, algorithm: 'sha256' as const, state };
      await expect(store.append(upload, Readable.from([Buffer.from('x')]), 100)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await expect(store.finish(upload, sha256('x'))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await store.discard(upload);
    }
  });

  it.each(['../../etc/passwd', '', 'a/b', 'A'.repeat(26)])('takes %j for no key of its own', async objectKey => {
    const store = open('keys');
    const blob = { digest: sha256('x'), size: 1, objectKey };
    await expect(store.read(blob)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    await expect(store.remove(objectKey)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });
});
