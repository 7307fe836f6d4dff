import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { sha256 } from '@packs/domain';
import { describeBlobStore, TestS3 } from '@packs/testing';
import { S3BlobStore } from './s3-blob-store';
import { s3Location } from './s3-location';

const MiB = 1024 * 1024;
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
});
