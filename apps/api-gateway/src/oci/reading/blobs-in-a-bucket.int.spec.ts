import { openBlobStore } from '@packs/object-storage';
import { TestS3 } from '@packs/testing';
import { aBlob, PushingSpec, type Replica } from '../uploads/pushing.fixture';

const MiB = 1024 * 1024;
const { isWanted, note } = TestS3.peer;
const suite = isWanted ? describe : describe.skip;

suite(`blobs in a bucket${note}`, () => {
  let spec: PushingSpec;
  let server: TestS3;
  let gateway: Replica;
  let other: Replica;
  beforeAll(async () => {
    server = await TestS3.start();
    spec = await PushingSpec.open();
    const { accessKey, secretKey } = server.credentials;
    const open = () =>
      openBlobStore({ blobStore: server.addressOf('registry'), blobStoreAccessKey: accessKey, blobStoreSecretKey: secretKey });
    gateway = await spec.replica({ blobs: await open() });
    other = await spec.replica({ blobs: await open(), redirectSeconds: 60 });
  });
  afterAll(async () => {
    await spec.close();
    await server.stop();
  });

  it('are pushed in chunks to any replica, and pulled whole and in part', async () => {
    const { bytes, digest } = aBlob(9 * MiB + 7);
    const path = await gateway.begin();
    for (const [turn, first] of [0, 4 * MiB, 8 * MiB + 1].entries()) {
      const end = [4 * MiB, 8 * MiB + 1, bytes.length][turn];
      const { status } = (await [gateway, other, gateway][turn]?.patch(path, bytes.subarray(first, end), first)) ?? { status: 0 };
      expect(status).toBe(202);
    }
    expect((await other.finish(path, digest)).status).toBe(201);
    const whole = await gateway.ask('GET', `/v2/acme/app/blobs/${digest}`);
    expect([whole.status, whole.bytes.equals(bytes)]).toEqual([200, true]);
    const part = await gateway.ask('GET', `/v2/acme/app/blobs/${digest}`, { range: `bytes=${MiB - 3}-${MiB + 3}` });
    expect([part.status, part.bytes.equals(bytes.subarray(MiB - 3, MiB + 4))]).toEqual([206, true]);
    expect([...server.list('registry/uploads'), ...server.unfinished()]).toEqual([]);
  }, 30_000);

  it('are got from the bucket itself, where the registry is told to send clients there', async () => {
    const { bytes, digest } = aBlob(1000);
    await gateway.finish(await gateway.begin(), digest, bytes);
    const sent = await other.ask('GET', `/v2/acme/app/blobs/${digest}`, {}, undefined, 'manual');
    expect([sent.status, sent.headers.get('cache-control'), sent.headers.get('docker-content-digest')]).toEqual([307, 'no-store', digest]);
    const place = new URL(sent.headers.get('location') ?? '');
    expect([place.port, place.searchParams.get('X-Amz-Expires')]).toEqual([String(server.port), '60']);
    expect(Buffer.from(await (await fetch(place)).arrayBuffer()).equals(bytes)).toBe(true);
    const head = await other.ask('HEAD', `/v2/acme/app/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
  });

  it('are sent elsewhere only after the caller was found to be allowed to have them', async () => {
    const { bytes, digest } = aBlob(1000);
    await gateway.finish(await gateway.begin(), digest, bytes);
    const foreign = await other.ask('GET', `/v2/acme/app/blobs/${digest}`, { 'x-tenant': 'evil' }, undefined, 'manual');
    const absent = await other.ask('GET', `/v2/acme/app/blobs/${aBlob(1).digest}`, {}, undefined, 'manual');
    expect([foreign.headers.get('location'), absent.headers.get('location'), absent.status]).toEqual([null, null, 404]);
    expect(foreign.status).toBeGreaterThanOrEqual(400);
  });
});
