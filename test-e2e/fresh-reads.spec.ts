import type { Answer, Caller } from './caller';
import { anImage, aPackArtifact, aSignatureOf, OCI_MANIFEST, type OciArtifact } from './oci-content';
import { aBundle, aManifest, digestOf } from './pack-bundle';
import { Registry } from './registry';
import { ReplicaLine } from './replica-line';
import { SigningKey } from './signing-key';

jest.setTimeout(120_000);

const ROUNDS = 25;
const key = new SigningKey('release');
// Which process holds a connection is read from /proc.
const itOnLinux = process.platform === 'linux' ? it : it.skip;
let registry: Registry;
let owner: Caller;
let reader: Caller;
/** To either gateway, of the owner and of somebody who may only read. */
let lines: readonly [ReplicaLine, ReplicaLine];
let readers: readonly ReplicaLine[];

async function lineTo(part: 'api-gateway' | 'api-gateway-2', { token }: Caller): Promise<ReplicaLine> {
  return ReplicaLine.to((await registry.part(part).pid()) ?? 0, registry.gatewayUrl, `Bearer ${token}`);
}

beforeAll(async () => {
  if (process.platform !== 'linux') return;
  registry = await Registry.start({ GATEWAY_PROCESSES: '2' });
  owner = await registry.caller();
  await owner.accept(key);
  reader = await registry.caller(owner.tenant, 'packs.read');
  lines = [await lineTo('api-gateway', owner), await lineTo('api-gateway-2', owner)];
  readers = [await lineTo('api-gateway', reader), await lineTo('api-gateway-2', reader)];
});
afterAll(async () => {
  if (process.platform !== 'linux') return;
  for (const line of [...lines, ...readers]) line.close();
  await registry.end();
});

const path = (repository: string, rest: string): string => `/v2/${owner.tenant}/${repository}/${rest}`;

async function push(repository: string, reference: string, { bytes, blobs }: OciArtifact): Promise<Answer> {
  for (const blob of blobs) {
    const at = path(repository, `blobs/uploads/?digest=${blob.digest}`);
    expect((await lines[0].send('POST', at, { body: blob.bytes, headers: { 'content-type': 'application/octet-stream' } })).status).toBe(
      201,
    );
  }
  const put = { body: bytes, headers: { 'content-type': OCI_MANIFEST } };
  const answer = await lines[0].send('PUT', path(repository, `manifests/${reference}`), put);
  expect(answer.status).toBe(201);
  return answer;
}

/** What each of four readers gets, as often as it takes until it is kept and read from there. */
async function readByAll(at: string, method = 'GET'): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let turn = 0; turn < 3; turn++) for (const line of [...lines, ...readers]) answers.push(await line.send(method, at));
  return answers;
}

async function expectAll(at: string, status: number, digest: string | null): Promise<void> {
  for (const method of ['GET', 'HEAD']) {
    for (const answer of await readByAll(at, method)) {
      expect([at, answer.status, answer.headers.get('docker-content-digest')]).toEqual([at, status, digest]);
      if (method === 'GET' && digest) expect(digestOf(answer.bytes)).toBe(digest);
    }
  }
}

itOnLinux('a tag that was moved at one gateway has moved for the next reader of either', async () => {
  const images = ['one', 'two'].map(name => anImage(name, [Buffer.from('layer')]));
  for (const image of images) await push('moving', image.digest, image);
  const at = path('moving', 'manifests/latest');
  for (let round = 0; round < ROUNDS; round++) {
    const [image, mover, follower] = [images[round % 2], lines[round % 2], lines[(round + 1) % 2]];
    if (!image || !mover || !follower) throw new Error('nothing to move');
    const put = { body: image.bytes, headers: { 'content-type': OCI_MANIFEST } };
    expect((await mover.send('PUT', at, put)).status).toBe(201);
    for (const line of [follower, mover, follower]) {
      expect((await line.send('HEAD', at)).headers.get('docker-content-digest')).toBe(image.digest);
    }
  }
  const before = await registry.metric('api-gateway', 'registry_oci_kept_reads_total');
  await expectAll(at, 200, images[(ROUNDS - 1) % 2]?.digest ?? '');
  expect(await registry.metric('api-gateway', 'registry_oci_kept_reads_total')).toBeGreaterThan(before + 6);
});

itOnLinux('readers who never stop see each tag at least as new as the last that was answered', async () => {
  const images = Array.from({ length: 12 }, (_, at) => anImage(`count ${at}`, [Buffer.from('layer')]));
  for (const image of images) await push('counted', image.digest, image);
  const at = path('counted', 'manifests/latest');
  const numberOf = new Map(images.map(({ digest }, number) => [digest, number]));
  let [written, reads, moving] = [-1, 0, true];
  const reading = [...lines, ...readers].map(async line => {
    while (moving) {
      const least = written;
      const { status, headers } = await line.send('HEAD', at);
      reads += 1;
      const number = numberOf.get(headers.get('docker-content-digest') ?? '') ?? -1;
      if (status === 200 ? number < least : least >= 0) throw new Error(`${number} was read when ${least} had been written`);
    }
  });
  const mover = await lineTo('api-gateway-2', owner);
  try {
    for (const [number, { bytes }] of images.entries()) {
      expect((await mover.send('PUT', at, { body: bytes, headers: { 'content-type': OCI_MANIFEST } })).status).toBe(201);
      written = number;
      // A reader of each gateway has it in memory then.
      const enough = reads + 16;
      while (reads < enough) await new Promise(resolve => setImmediate(resolve));
    }
  } finally {
    moving = false;
    mover.close();
  }
  await Promise.all(reading);
});

itOnLinux('what was deleted at one gateway is gone at both', async () => {
  const image = anImage('deleted', [Buffer.from('layer of the deleted')]);
  const [layer] = image.blobs.slice(1);
  await push('deleting', 'v1', image);
  await push('deleting', 'v2', image);
  for (const reference of ['v1', 'v2', image.digest]) await expectAll(path('deleting', `manifests/${reference}`), 200, image.digest);
  const blob = path('deleting', `blobs/${layer?.digest}`);
  for (const { status } of await readByAll(blob)) expect(status).toBe(200);

  expect((await lines[1].send('DELETE', path('deleting', 'manifests/v1'))).status).toBe(202);
  await expectAll(path('deleting', 'manifests/v1'), 404, null);
  await expectAll(path('deleting', 'manifests/v2'), 200, image.digest);
  expect((await lines[0].send('DELETE', path('deleting', `manifests/${image.digest}`))).status).toBe(202);
  for (const reference of ['v2', image.digest]) await expectAll(path('deleting', `manifests/${reference}`), 404, null);
  for (const line of readers) expect((await line.send('GET', blob)).status).toBe(404);
  expect((await lines[1].send('DELETE', blob)).status).toBe(202);
  for (const { status } of await readByAll(blob)) expect(status).toBe(404);
});

itOnLinux(
  'a version that was deprecated says so, one whose key is trusted no more is withdrawn, and served when it is trusted again',
  async () => {
    const pack = aPackArtifact(aBundle(aManifest('fresh')));
    await owner.policy({ keyRef: key.name }, { unsigned: 'pending' });
    await push('fresh', '1.0.0', pack);
    const signature = aSignatureOf(pack, key);
    await push('fresh', signature.digest, signature);
    const places = ['1.0.0', 'edge', pack.digest].map(reference => path('fresh', `manifests/${reference}`));
    const bundle = path('fresh', `blobs/${pack.blobs[1]?.digest}`);
    for (const at of places) await expectAll(at, 200, pack.digest);
    for (const answer of await readByAll(places[0] ?? '')) expect(answer.headers.get('warning')).toBeNull();
    await readByAll(bundle);

    const deprecated = await lines[1].send('DELETE', `/api/packs/fresh/versions/1.0.0?reason=old`);
    expect(deprecated.status).toBe(200);
    for (const at of places) for (const answer of await readByAll(at)) expect(answer.headers.get('warning')).toContain('deprecated');

    const other = new SigningKey('other');
    for (const [trusted, status] of [
      [other, 403],
      [key, 200],
      [other, 403],
    ] as const) {
      expect((await owner.trust(trusted)).status).toBe(200);
      for (const at of [...places, bundle]) for (const answer of await readByAll(at)) expect([at, answer.status]).toEqual([at, status]);
    }
    expect((await owner.trust(key)).status).toBe(200);
  },
);

itOnLinux('a namespace that lets nobody pull by tag any more refuses what it gave a moment before', async () => {
  const image = anImage('by digest', [Buffer.from('layer')]);
  await push('pinned', 'v1', image);
  const at = path('pinned', 'manifests/v1');
  for (let round = 0; round < 5; round++) {
    const pullByDigestOnly = round % 2 === 1;
    const set = await lines[round % 2 ? 1 : 0].send('PUT', '/api/visibility', {
      json: { shareWith: [], pullByDigestOnly },
      headers: { 'content-type': 'application/json' },
    });
    expect(set.status).toBe(200);
    for (let turn = 0; turn < 3; turn++) {
      for (const line of readers) expect((await line.send('GET', at)).status).toBe(pullByDigestOnly ? 403 : 200);
      for (const line of lines) expect((await line.send('GET', at)).status).toBe(200);
    }
  }
});

itOnLinux('bytes in quarantine are refused everywhere at once, and given again when they are whole', async () => {
  const image = anImage('quarantined', [Buffer.from('layer of the quarantined')]);
  await push('damaged', 'v1', image);
  const layer = image.blobs[1]?.digest ?? '';
  const places = [
    [image.digest, path('damaged', 'manifests/v1')],
    [layer, path('damaged', `blobs/${layer}`)],
  ] as const;
  for (const [digest, at] of places) {
    await readByAll(at);
    await registry.sql(
      `update content.blobs set object_key = 'quarantined/' || object_key, quarantined_at = now(), quarantine_reason = 'by a test' where digest = $1`,
      [digest],
    );
    for (const { status } of await readByAll(at)) expect([at, status]).toEqual([at, 500]);
    await registry.sql(
      `update content.blobs set object_key = replace(object_key, 'quarantined/', ''), quarantined_at = null, quarantine_reason = null where digest = $1`,
      [digest],
    );
    for (const answer of await readByAll(at)) expect([at, answer.status, digestOf(answer.bytes)]).toEqual([at, 200, digest]);
  }
});

itOnLinux('a gateway whose look at changes is cut off asks for everything anew', async () => {
  const images = ['before', 'after'].map(name => anImage(name, [Buffer.from('layer')]));
  const [before, after] = images;
  if (!before || !after) throw new Error('no images');
  await push('cut', 'latest', before);
  await push('cut', after.digest, after);
  const at = path('cut', 'manifests/latest');
  await expectAll(at, 200, before.digest);
  // As the server does it when it goes down; what changes meanwhile is told to nobody.
  const cut = await registry.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'packs_gateway' and query like '%read_changes_since%'`,
  );
  expect(cut.length).toBeGreaterThanOrEqual(2);
  await registry.sql(`update registry.tags set manifest_digest = $1 where tenant = $2 and repository = 'cut'`, [
    after.digest,
    owner.tenant,
  ]);
  await expectAll(at, 200, after.digest);
});
