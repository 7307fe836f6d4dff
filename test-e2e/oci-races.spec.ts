import { randomBytes } from 'node:crypto';
import type { Answer, Caller } from './caller';
import { aPackArtifact, anImage, OCI_MANIFEST, ociBlob, type OciArtifact } from './oci-content';
import { LoggingCaller, type Exchange } from './oci-log';
import { RULES } from './oci-log-checker';
import { OciPushingClient } from './oci-pushing-client';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';

jest.setTimeout(120_000);

const MANY = 16;
const MIB = 1024 * 1024;
const indexes = Array.from({ length: MANY }, (_, at) => at);
let registry: Registry;
let owner: Caller;
let log: Exchange[];
let client: OciPushingClient;

beforeAll(async () => {
  registry = await Registry.start({ GATEWAY_PROCESSES: '2' });
});
afterAll(() => registry.end());

beforeEach(async () => {
  owner = await registry.caller();
  log = [];
  client = new OciPushingClient(new LoggingCaller('pushes', 'writer', owner, log), owner.tenant);
});

afterEach(async () => {
  const pushed = new Set(log.flatMap(({ about }) => (about.act === 'push-blob' ? [`${about.repository}/blobs/${about.digest}`] : [])));
  for (const path of pushed) {
    const [repository = '', digest = ''] = path.split('/blobs/');
    await client.as.readBlob(owner.tenant, repository, digest);
  }
  for (const [rule, faults] of Object.entries(RULES)) expect([rule, faults(log)]).toEqual([rule, []]);
});

describe('one upload finished by two clients', () => {
  const path = () => `/v2/${owner.tenant}/team/app/blobs/uploads/`;
  const begun = async (bytes: Buffer): Promise<string> => {
    const location = (await owner.send('POST', path())).headers.get('location') ?? '';
    expect((await owner.send('PATCH', location, { body: bytes })).status).toBe(202);
    return location;
  };
  const finish = (location: string, digest: string, body?: Buffer) =>
    client.as.ask({ act: 'push-blob', repository: 'team/app', digest }, 'PUT', location, { query: { digest }, ...(body && { body }) });

  it.each(indexes)('is one blob, and the other is told that the upload is over (%i)', async () => {
    const blob = ociBlob(randomBytes(2 * MIB));
    const location = await begun(blob.bytes.subarray(0, MIB));
    const answers = await Promise.all([1, 2].map(() => finish(location, blob.digest, blob.bytes.subarray(MIB))));
    const statuses = answers.map(answer => answer?.status).toSorted();
    expect(statuses[0]).toBe(201);
    expect([404, 409, 416]).toContain(statuses[1]);
    expect((await client.as.readBlob(owner.tenant, 'team/app', blob.digest))?.bytes.equals(blob.bytes)).toBe(true);
  });

  it('of whom one is wrong is never what the wrong one says', async () => {
    const blob = ociBlob(randomBytes(MIB));
    const wrong = ociBlob(randomBytes(10));
    const location = await begun(blob.bytes);
    const [right, refused] = await Promise.all([
      owner.send('PUT', location, { query: { digest: blob.digest } }),
      owner.send('PUT', location, { query: { digest: wrong.digest } }),
    ]);
    // Whoever comes first decides: the blob is made, or the upload ends with the refusal.
    expect([
      [201, 404],
      [201, 409],
      [404, 400],
      [409, 400],
    ]).toContainEqual([right.status, refused.status]);
    expect((await owner.get(`/v2/${owner.tenant}/team/app/blobs/${wrong.digest}`)).status).toBe(404);
    expect((await owner.get(`/v2/${owner.tenant}/team/app/blobs/${blob.digest}`)).status).toBe(right.status === 201 ? 200 : 404);
  });
});

describe(`${MANY} clients push one version with a bundle each, by both doors`, () => {
  const bundles = indexes.map(at => aBundle(aManifest('contested'), [{ path: 'mine', content: String(at) }]));

  async function byOci(bundle: Bundle): Promise<Answer | undefined> {
    const pack: OciArtifact = aPackArtifact(bundle);
    for (const blob of pack.blobs) expect(await client.pushBlob('contested', blob)).toBe(true);
    const headers = { 'content-type': OCI_MANIFEST };
    return owner.send('PUT', `/v2/${owner.tenant}/contested/manifests/1.0.0`, { headers, body: pack.bytes });
  }

  it.each(['allow', 'pending'])('and one has it, where what is unsigned is for the policy to %s', async unsigned => {
    await owner.policy({ keyRef: 'nobody' }, { unsigned });
    const answers = await Promise.all(bundles.map((bundle, at) => (at % 2 === 0 ? byOci(bundle) : owner.publish(bundle))));
    const statuses = answers.map(answer => answer?.status ?? 0);
    expect(statuses.filter(status => status < 300)).toHaveLength(1);
    const winner = answers[statuses.findIndex(status => status < 300)];
    const digest = winner?.headers.get('docker-content-digest') ?? String(winner?.body?.['manifestDigest']);
    for (const [at, answer] of answers.entries()) {
      if (answer === winner) continue;
      const text = JSON.stringify(answer?.body);
      expect([at, answer?.status, text]).toEqual([
        at,
        at % 2 === 0 ? 403 : 409,
        expect.stringContaining(at % 2 === 0 ? '"DENIED"' : 'ERR_PACK_VERSION_EXISTS'),
      ]);
      expect([at, text]).toEqual([at, expect.stringContaining(digest)]);
    }
    const kept = await owner.get(`/v2/${owner.tenant}/contested/manifests/1.0.0`);
    expect([kept.status, kept.headers.get('docker-content-digest')]).toEqual([200, digest]);
  });
});

it(`${MANY} clients move one tag of an image: all are told so, and it is one of theirs for everybody`, async () => {
  const images = indexes.map(at => anImage(`image ${at}`, [Buffer.from(`layer ${at}`)]));
  const pushed = await Promise.all(images.map(image => client.push('team/app', image, null)));
  expect(pushed).toEqual(indexes.map(() => true));
  const put = (image: OciArtifact) =>
    owner.send('PUT', `/v2/${owner.tenant}/team/app/manifests/latest`, {
      headers: { 'content-type': OCI_MANIFEST },
      body: image.bytes,
    });
  const answers = await Promise.all(images.map(put));
  expect(answers.map(({ status, headers }) => [status, headers.get('docker-content-digest')])).toEqual(
    images.map(({ digest }) => [201, digest]),
  );
  const seen = new Set<string | null>();
  for (let again = 0; again < MANY; again++) {
    seen.add((await owner.get(`/v2/${owner.tenant}/team/app/manifests/latest`)).headers.get('docker-content-digest'));
  }
  expect([...seen].map(digest => images.some(image => image.digest === digest))).toEqual([true]);
  for (const image of images) expect((await client.as.readManifest(owner.tenant, 'team/app', image.digest))?.status).toBe(200);
});
