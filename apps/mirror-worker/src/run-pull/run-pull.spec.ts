import type { ServerResponse } from 'node:http';
import { PublishPack, type RequestOf } from '@packs/contracts';
import { DomainError, encodeSignatureManifest, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { TestOciRegistry } from '@packs/testing';
import { put, PullBench, putImage, putManifest, putPack, putReferrer } from './run-pull.fixture';

const HELLO = { repository: 'hello' };
const APP = { repository: 'app' };

let registry: TestOciRegistry;
let bench: PullBench;
beforeEach(async () => {
  registry = await TestOciRegistry.start({ referrersApi: true, pageSize: 2 });
  bench = new PullBench(registry);
});
afterEach(() => registry.stop());

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
const fetched = (kind: 'blobs' | 'manifests'): string[] => registry.requests.filter(line => new RegExp(`^GET /v2/.*/${kind}/`).test(line));
const publishes = (): RequestOf<typeof PublishPack>[] =>
  bench.commands.sent
    .filter(({ subject }) => subject === PublishPack.subject)
    .map(({ request }) => request as RequestOf<typeof PublishPack>);

describe('a pull of packs', () => {
  it('has each wanted version published as it is, with the manifests of its signatures, and what else refers to it', async () => {
    const there = bench.there('hello');
    const subject = await putPack(there, '1.0.0');
    const signature = encodeSignatureManifest(await put(there, Buffer.from('signed'), MEDIA_TYPES.sigstoreBundle), subject);
    await put(there, Buffer.from('{}'), MEDIA_TYPES.ociEmpty);
    await there.putManifest(signature.digest, signature);
    const sbom = await putReferrer(there, subject, 'sbom');
    await putPack(there, '2.0.0');
    const { counts, skipped } = await bench.pull([{ ...HELLO, range: '^1' }]);
    expect([counts.versions, counts.totalVersions, skipped]).toEqual([1, 1, []]);
    const [request] = publishes();
    expect(request).toMatchObject({
      ...{ tenant: 'acme', packId: 'hello', version: null, bundle: { digest: sha256('bundle 1.0.0') } },
      artifact: { manifest: { digest: subject.digest } },
      signatures: [
        { digest: sha256('signed'), mediaType: MEDIA_TYPES.sigstoreBundle, referrer: { manifest: { digest: signature.digest } } },
      ],
    });
    expect(bench.contents.recorded).toEqual(new Set([subject.digest, signature.digest, sbom.digest].map(digest => `hello@${digest}`)));
  });

  it('fetches nothing again, but what came to refer to it', async () => {
    const subject = await putPack(bench.there('hello'), '1.0.0');
    const first = await bench.pull([HELLO]);
    await putReferrer(bench.there('hello'), subject, 'sbom');
    registry.requests.length = 0;
    const second = await bench.pull([HELLO]);
    expect([first.stateDigest, second.counts.versions]).toEqual([second.stateDigest, 1]);
    expect(fetched('blobs')).toEqual([`GET /v2/team/hello/blobs/${sha256('{}')}`, `GET /v2/team/hello/blobs/${sha256('sbom')}`]);
    registry.requests.length = 0;
    await bench.pull([HELLO]);
    expect([fetched('blobs'), fetched('manifests'), publishes()]).toEqual([[], [], [expect.anything()]]);
  });

  it('tells why a version was refused, brings the others, and does not fetch its bytes again', async () => {
    const bad = await putPack(bench.there('hello'), '1.0.0');
    await putPack(bench.there('hello'), '1.1.0');
    const faults = [{ code: 'ERR_PACK_SIGNATURE_MISSING' as const, message: 'nobody signed it' }];
    bench.refusals.set(bad.digest, { outcome: 'rejected', faults, verdictHash: sha256('verdict'), verdict: {} } as never);
    const { counts, skipped } = await bench.pull([HELLO]);
    expect([counts.versions, counts.totalVersions, counts.skipped]).toEqual([1, 2, 1]);
    expect(skipped).toEqual([
      { packId: 'hello', version: '1.0.0', code: 'ERR_PACK_VERDICT_REJECTED', reason: 'ERR_PACK_SIGNATURE_MISSING: nobody signed it' },
    ]);
    registry.requests.length = 0;
    bench.refusals.clear();
    expect((await bench.pull([HELLO])).counts).toMatchObject({ versions: 2, skipped: 0 });
    expect(fetched('blobs')).toEqual([]);
  });

  it('takes a signature without its manifest where that cannot be kept', async () => {
    const there = bench.there('hello');
    const subject = await putPack(there, '1.0.0');
    const layers = [await put(there, Buffer.from('signed'), MEDIA_TYPES.sigstoreBundle)];
    const config = await put(there, Buffer.from('{}'), MEDIA_TYPES.ociEmpty);
    const common = { artifactType: MEDIA_TYPES.sigstoreBundle, layers, subject };
    await putManifest(there, { ...common, config, annotations: { long: 'x'.repeat(70_000) } });
    await putManifest(there, { ...common, config: { ...config, size: -1 } });
    expect((await bench.pull([HELLO])).counts).toMatchObject({ versions: 1 });
    const { signatures = [] } = publishes()[0] ?? {};
    expect(signatures.map(({ digest, referrer }) => [digest, referrer])).toEqual(Array(2).fill([sha256('signed'), undefined]));
  });

  it('leaves a version that moved at the upstream as it is here, without its bytes', async () => {
    const before = await putPack(bench.there('hello'), '1.0.0');
    await bench.pull([HELLO]);
    bench.contents.tags.set('hello:1.0.0', before.digest);
    const after = await putPack(bench.there('hello'), '1.0.0', 'altered');
    registry.requests.length = 0;
    const { skipped } = await bench.pull([HELLO]);
    expect(skipped).toMatchObject([{ packId: 'hello', version: '1.0.0', code: 'ERR_PACK_VERSION_EXISTS' }]);
    expect(skipped[0]?.reason).toContain(after.digest);
    expect([fetched('blobs'), publishes()]).toEqual([[], [expect.anything()]]);
  });

  it('publishes what needs others after those, whatever their order', async () => {
    const needs = await putPack(bench.there('hello'), '1.0.0');
    await putPack(bench.there('lib'), '1.0.0', 'lib');
    bench.refusals.set(needs.digest, new DomainError('ERR_PACK_DEPENDENCY', 'lib is not there'));
    const once = bench.pull([HELLO, { repository: 'lib' }]);
    const forget = bench.contents.kinds;
    const set = forget.set.bind(forget);
    forget.set = (name, kind) => {
      if (name === 'lib') bench.refusals.delete(needs.digest);
      return set(name, kind);
    };
    expect((await once).counts).toMatchObject({ versions: 2, skipped: 0 });
    bench.refusals.set(needs.digest, new DomainError('ERR_PACK_DEPENDENCY', 'lib is not there'));
    bench.contents.versions.delete(needs.digest);
    const { skipped } = await bench.pull([HELLO]);
    expect(skipped).toMatchObject([{ version: '1.0.0', code: 'ERR_PACK_DEPENDENCY', reason: 'lib is not there' }]);
  });
});

describe('a pull of images', () => {
  it('copies an index with all it names, and signatures under cosign’s tags, and moves a tag that moved', async () => {
    const there = bench.there('app');
    const manifests = [await putImage(there, undefined, 'amd64'), await putImage(there, undefined, 'arm64')];
    const index = await putManifest(there, { mediaType: MEDIA_TYPES.ociIndex, manifests }, 'latest');
    const cosigned = `${index.digest.replace(':', '-')}.sig`;
    const signature = await putImage(there, cosigned, 'signature');
    const sbom = await putReferrer(there, index, 'sbom');
    const nested = await putReferrer(there, sbom, 'signature of the sbom');
    expect((await bench.pull([{ ...APP, as: 'ours/app' }])).counts).toMatchObject({ versions: 1, skipped: 0 });
    const here = [...manifests, index, signature, sbom, nested].map(({ digest }) => `ours/app@${digest}`);
    expect(bench.contents.recorded).toEqual(new Set(here));
    expect(bench.contents.tags).toEqual(
      new Map([
        ['ours/app:latest', index.digest],
        [`ours/app:${cosigned}`, signature.digest],
      ]),
    );
    const next = await putImage(there, 'latest', 'next');
    await bench.pull([{ ...APP, as: 'ours/app' }]);
    expect(bench.contents.tags.get('ours/app:latest')).toBe(next.digest);
  });

  it.each(['1.0.0', 'latest'])('leaves the tag %s that others have put here, or that never moves', async tag => {
    await putImage(bench.there('app'), tag);
    await bench.pull([APP]);
    if (tag === 'latest') bench.contents.tags.set('app:latest', sha256('of somebody'));
    await putImage(bench.there('app'), tag, 'altered');
    expect((await bench.pull([APP])).skipped).toMatchObject([{ packId: 'app', version: tag, code: 'ERR_PACK_VERSION_EXISTS' }]);
  });

  it('puts none into the repository of a pack, and no pack among other content', async () => {
    await putPack(bench.there('hello'), '1.0.0');
    await putImage(bench.there('app'), '1.0.0');
    await bench.pull([HELLO, APP]);
    const { skipped } = await bench.pull([
      { ...HELLO, as: 'app', tags: ['1.0.0'] },
      { ...APP, as: 'hello' },
    ]);
    expect(skipped.map(({ code }) => code)).toEqual(['ERR_PACK_VERSION_EXISTS', 'ERR_OCI_REPOSITORY_KIND']);
    await putPack(bench.there('hello'), '2.0.0');
    const mixed = await bench.pull([{ ...HELLO, as: 'app', tags: ['2.0.0'] }]);
    expect(mixed.skipped).toMatchObject([{ version: '2.0.0', code: 'ERR_OCI_REPOSITORY_KIND' }]);
  });
});

describe('a pull', () => {
  it('goes on where a sync before it ended, blob by blob', async () => {
    await putImage(bench.there('app'), 'one');
    await putImage(bench.there('app'), 'two');
    const stopped = new AbortController();
    registry.intervene(new RegExp(`/blobs/${sha256('layer two')}`), () => stopped.abort(new Error('killed')));
    await expect(bench.pull([APP], {}, stopped.signal)).rejects.toThrow('killed');
    const ofOne = [sha256('layer one'), sha256('{"of":"one"}')].map(digest => `GET /v2/team/app/blobs/${digest}`);
    expect(fetched('blobs')).toEqual(expect.arrayContaining(ofOne));
    registry.requests.length = 0;
    expect((await bench.pull([APP])).counts).toMatchObject({ versions: 2 });
    expect(fetched('blobs').filter(line => ofOne.includes(line))).toEqual([]);
    expect(fetched('blobs')).toContain(`GET /v2/team/app/blobs/${sha256('layer two')}`);
  });

  it('keeps to its limits, and brings the rest the next time', async () => {
    for (const tag of ['1.0.0', '2.0.0', '3.0.0']) await putPack(bench.there('hello'), tag);
    const first = await bench.pull([HELLO], { maxVersions: 2 });
    expect([first.counts.versions, first.skipped.map(({ version, code }) => [version, code])]).toEqual([2, [['3.0.0', 'ERR_PACK_LIMIT']]]);
    expect((await bench.pull([HELLO], { maxVersions: 2 })).counts).toMatchObject({ versions: 3, skipped: 0 });
    await putPack(bench.there('hello'), '4.0.0');
    const small = await bench.pull([HELLO], { maxBytes: 10 });
    expect([small.skipped.map(({ code }) => code), small.counts.copiedBytes <= 10]).toEqual([['ERR_PACK_LIMIT'], true]);
  });

  it('is not kept from what comes after by versions that are refused every time', async () => {
    for (const tag of ['1.0.0', '2.0.0']) {
      bench.refusals.set((await putPack(bench.there('hello'), tag)).digest, new DomainError('ERR_PACK_VERSION_EXISTS', 'never'));
    }
    await putPack(bench.there('hello'), '3.0.0');
    expect((await bench.pull([HELLO], { maxVersions: 1 })).counts).toMatchObject({ versions: 1, skipped: 2 });
  });

  it('may move a tag on that it has moved, though what refers to it could not be had', async () => {
    await putImage(bench.there('app'), 'latest');
    await bench.pull([APP]);
    await putImage(bench.there('app'), 'latest', 'second');
    registry.intervene(/referrers/, (_, response) => void response.writeHead(403).end(), 1);
    expect((await bench.pull([APP])).skipped).toMatchObject([{ code: 'ERR_REGISTRY_DENIED' }]);
    const third = await putImage(bench.there('app'), 'latest', 'third');
    expect((await bench.pull([APP])).counts).toMatchObject({ versions: 1, skipped: 0 });
    expect(bench.contents.tags.get('app:latest')).toBe(third.digest);
  });

  it('asks for what it has brought in once for many tags, and writes nothing down again', async () => {
    for (let nth = 0; nth < 5; nth++) await putImage(bench.there('app'), `t${nth}`);
    await bench.pull([APP]);
    const before = bench.queue.counts.length;
    await bench.pull([APP]);
    expect(bench.queue.counts.length - before).toBe(2);
  });

  it('connects to nothing for a tenant that is sealed', async () => {
    bench.sealedBy = 'api';
    expect([await codeOf(bench.pull([HELLO])), registry.requests]).toEqual(['ERR_PACK_SEALED', []]);
  });

  it('fails as a whole when no repository can be asked, and tells of one that cannot', async () => {
    await putPack(bench.there('hello'), '1.0.0');
    registry.intervene(/tags\/list/, (_, response) => void response.writeHead(403).end(), 1);
    expect(await codeOf(bench.pull([HELLO]))).toBe('ERR_REGISTRY_DENIED');
    registry.intervene(/hello\/tags\/list/, (_, response) => void response.writeHead(403).end(), 1);
    await putImage(bench.there('app'), 'one');
    const { counts, skipped } = await bench.pull([HELLO, APP]);
    expect([counts.versions, skipped]).toMatchObject([1, [{ packId: 'hello', version: '*', code: 'ERR_REGISTRY_DENIED' }]]);
  });
});

describe('an upstream that means harm', () => {
  const skippedOf = async (repositories = [HELLO]): Promise<string[]> => (await bench.pull(repositories)).skipped.map(({ code }) => code);

  it('gives other bytes for a digest, and nothing of them is kept', async () => {
    await putPack(bench.there('hello'), '1.0.0');
    const bundle = Buffer.from('bundle 1.0.0');
    registry.repository('team/hello').blobs.set(sha256(bundle), Buffer.alloc(bundle.length, '!'));
    expect(await skippedOf()).toEqual(['ERR_REGISTRY_CORRUPT']);
    expect([publishes(), [...bench.blobs.objects.values()].some(bytes => bytes.includes('!'))]).toEqual([[], false]);
  });

  it('gives another manifest than its digest, or a longer one than anybody may', async () => {
    const { digest } = await putPack(bench.there('hello'), '1.0.0');
    const held = registry.repository('team/hello').manifests.get(digest);
    if (!held) throw new Error('nothing was pushed');
    held.bytes = Buffer.from('{"schemaVersion":2}');
    expect(await skippedOf()).toEqual(['ERR_REGISTRY_CORRUPT']);
    held.bytes = Buffer.alloc(5 * 1024 * 1024, ' ');
    expect(await skippedOf()).toEqual(['ERR_REGISTRY_CORRUPT']);
  });

  it('cuts every blob off', async () => {
    await putPack(bench.there('hello'), '1.0.0');
    registry.intervene(
      /GET .*\/blobs\//,
      (_, response) => void response.writeHead(200, { 'content-length': 12 }).write('bun', () => response.destroy()),
      99,
    );
    expect(await codeOf(bench.pull([HELLO]))).toBe('ERR_REGISTRY_UNAVAILABLE');
    expect(bench.contents.linked.size).toBe(0);
  });

  it.each([
    ['an address of a cloud’s own services', 'http://169.254.169.254/latest'],
    ['an address that nobody named', 'http://127.0.0.1:9/blob'],
  ])('sends us to %s', async (_, location) => {
    await putPack(bench.there('hello'), '1.0.0');
    registry.intervene(/GET .*\/blobs\//, (_request, response) => void response.writeHead(307, { location }).end(), 99);
    expect(await skippedOf()).toEqual(['ERR_REGISTRY_NOT_ALLOWED']);
  });

  it('has a list of tags, or of referrers, without end', async () => {
    const subject = await putPack(bench.there('hello'), '1.0.0');
    const empty = (link: string, body: object) => (_: unknown, response: ServerResponse) =>
      void response.writeHead(200, { link: `<${link}>; rel="next"`, 'content-type': MEDIA_TYPES.ociIndex }).end(JSON.stringify(body));
    registry.intervene(/tags\/list/, empty('/v2/team/hello/tags/list?more', { tags: [] }), 99);
    expect(await codeOf(bench.pull([HELLO]))).toBe('ERR_REGISTRY_CORRUPT');
    expect(registry.requests.filter(line => line.includes('tags/list'))).toHaveLength(1);
    await registry.stop();
    registry = await TestOciRegistry.start({ referrersApi: true });
    bench = new PullBench(registry);
    await putPack(bench.there('hello'), '1.0.0');
    registry.intervene(/referrers/, empty(`/v2/team/hello/referrers/${subject.digest}?more`, { manifests: [] }), 99);
    expect(await skippedOf()).toEqual(['ERR_REGISTRY_CORRUPT']);
  });

  it('asks for credentials again and again', async () => {
    const challenge = { 'www-authenticate': 'Basic realm="here"' };
    registry.intervene(/.*/, (_, response) => void response.writeHead(401, challenge).end(), 99);
    expect([await codeOf(bench.pull([HELLO])), registry.requests.length <= 2]).toEqual(['ERR_REGISTRY_DENIED', true]);
  });

  it('lists referrers of something else', async () => {
    const there = bench.there('hello');
    const subject = await putPack(there, '1.0.0');
    const foreign = await putReferrer(there, await putPack(there, '9.0.0'), 'sbom');
    const list = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [{ ...foreign, artifactType: 'text/spdx' }] };
    registry.intervene(
      new RegExp(`referrers/${subject.digest}`),
      (_, response) => void response.writeHead(200).end(JSON.stringify(list)),
      99,
    );
    const { skipped, counts } = await bench.pull([{ ...HELLO, tags: ['1.0.0'] }]);
    expect([counts.versions, skipped]).toMatchObject([1, [{ version: foreign.digest, code: 'ERR_REGISTRY_CORRUPT' }]]);
  });

  it('names more, deeper and larger things than are taken', async () => {
    const there = bench.there('app');
    let index = await putImage(there, undefined, 'deep');
    for (let depth = 0; depth < 4; depth++)
      index = await putManifest(there, { mediaType: MEDIA_TYPES.ociIndex, manifests: [index] }, 'deep');
    expect(await skippedOf([APP])).toEqual(['ERR_PACK_LIMIT']);
    bench = new PullBench(registry, { maxBlobBytes: 4, maxBundleBytes: 4 });
    await putImage(there, 'deep', 'large');
    await putPack(bench.there('hello'), '1.0.0');
    expect(await skippedOf([APP, HELLO])).toEqual(['ERR_PACK_TOO_LARGE', 'ERR_PACK_TOO_LARGE']);
    expect(bench.blobs.objects.size).toBe(0);
  });

  it('names a manifest that it has not, or what is none', async () => {
    const child = { mediaType: MEDIA_TYPES.ociManifest, digest: sha256('nothing'), size: 7 };
    const repository = registry.repository('team/app');
    const hold = (tag: string, text: string, mediaType: string = MEDIA_TYPES.ociManifest): Digest => {
      const bytes = Buffer.from(text);
      repository.manifests.set(sha256(bytes), { mediaType, bytes });
      repository.tags.set(tag, sha256(bytes));
      return sha256(bytes);
    };
    hold('a', JSON.stringify({ schemaVersion: 2, manifests: [child] }), MEDIA_TYPES.ociIndex);
    hold('b', '[');
    hold('c', JSON.stringify({ config: child, layers: [{ digest: 'sha256:00', size: -1 }] }));
    hold('d', '{}', 'text/html');
    expect(await skippedOf([APP])).toEqual([
      'ERR_REGISTRY_CORRUPT',
      'ERR_OCI_MANIFEST_INVALID',
      'ERR_OCI_MANIFEST_INVALID',
      'ERR_OCI_MANIFEST_INVALID',
    ]);
  });
});
