import { randomBytes } from 'node:crypto';
import { DomainError, EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { TestOciRegistry, type TestOciRegistryOptions } from '@packs/testing';
import { RegistryClient } from './registry-client';
import { fallbackTag } from './referrer-list';
import type { ClientSettings } from './settings';

const PIECE = 64 * 1024;
const NAME = 'team/app';

let registry: TestOciRegistry;
const pauses: number[] = [];
const opened: TestOciRegistry[] = [];

afterEach(async () => {
  pauses.length = 0;
  for (const one of opened.splice(0)) await one.stop();
});

async function start(options: TestOciRegistryOptions = {}): Promise<TestOciRegistry> {
  const started = await TestOciRegistry.start(options);
  opened.push(started);
  return started;
}

function clientOf(settings: Partial<ClientSettings> = {}): RegistryClient {
  return new RegistryClient({
    registries: [registry.allowed],
    credentialsOf: () => Promise.resolve(undefined),
    pieceBytes: PIECE,
    pause: ms => {
      pauses.push(ms);
      return Promise.resolve();
    },
    ...settings,
  });
}

const repositoryOf = (settings?: Partial<ClientSettings>) => clientOf(settings).repository(registry.host, NAME);

async function* inParts(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
}

const blobOf = (bytes: Buffer) => ({ digest: sha256(bytes), size: bytes.length });

describe('a download', () => {
  const bytes = randomBytes(300_000);
  const { digest } = blobOf(bytes);
  beforeEach(async () => {
    registry = await start();
    registry.repository(NAME).blobs.set(digest, bytes);
  });

  it('goes on where its connection broke, as often as it takes', async () => {
    for (let cut = 0; cut < 8; cut++) {
      registry.intervene(/^GET .*blobs/, ({ headers }, response) => {
        const from = Number(/\d+/.exec(headers.range ?? '0')?.[0]);
        response.writeHead(from > 0 ? 206 : 200, {
          'content-length': bytes.length - from,
          ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
        });
        response.write(bytes.subarray(from, from + 20_000), () => response.destroy());
      });
    }
    expect((await read(repositoryOf().readBlob(blobOf(bytes)))).equals(bytes)).toBe(true);
    expect(registry.requests.length).toBe(9);
  });

  it('skips what it has when the registry cannot begin in the middle', async () => {
    registry.intervene(/^GET .*blobs/, (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 20_000), () => response.destroy());
    });
    registry.intervene(/^GET .*blobs/, (_, response) => void response.writeHead(200, { 'content-length': bytes.length }).end(bytes));
    expect((await read(repositoryOf().readBlob(blobOf(bytes)))).equals(bytes)).toBe(true);
  });

  it.each([
    ['other bytes', randomBytes(300_000)],
    ['more bytes', Buffer.concat([bytes, bytes])],
    ['fewer bytes', bytes.subarray(0, 1_000)],
  ])('of %s is refused, and says what they hash to', async (_, other) => {
    registry.repository(NAME).blobs.set(digest, other);
    const error = await read(repositoryOf().readBlob(blobOf(bytes))).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ERR_REGISTRY_CORRUPT', details: { digest, found: expect.stringMatching(/^sha256:/) as string } });
  });

  it('follows a redirect to an allowed host without its credentials, and to no other', async () => {
    const storage = await start();
    storage.intervene(/^GET \/stored/, (_, response) => void response.end(bytes), 2);
    const toStorage = (): void =>
      registry.intervene(
        /^GET .*blobs/,
        (_, response) => void response.writeHead(307, { location: `http://${storage.host}/stored` }).end(),
      );
    const credentialsOf = () => Promise.resolve({ username: 'me', password: 'secret' });
    toStorage();
    const both = clientOf({ registries: [registry.allowed, storage.allowed], credentialsOf }).repository(registry.host, NAME);
    expect((await read(both.readBlob(blobOf(bytes)))).equals(bytes)).toBe(true);
    expect(storage.authorizations).toEqual([undefined]);
    toStorage();
    expect(await codeOf(read(repositoryOf().readBlob(blobOf(bytes))))).toBe('ERR_REGISTRY_NOT_ALLOWED');
    expect(storage.requests.length).toBe(1);
  });

  it.each(['http://169.254.169.254/latest/meta-data', 'http://[fd00:ec2::254]/', 'file:///etc/passwd'])(
    'follows no redirect to %s',
    async location => {
      registry.intervene(/^GET .*blobs/, (_, response) => void response.writeHead(307, { location }).end());
      const metadata = { protocol: 'http:', allowsPrivate: true } as const;
      const registries = [registry.allowed, { ...metadata, host: '169.254.169.254' }, { ...metadata, host: '[fd00:ec2::254]' }];
      expect(await codeOf(read(repositoryOf({ registries }).readBlob(blobOf(bytes))))).toBe('ERR_REGISTRY_NOT_ALLOWED');
    },
  );
});

describe('an upload', () => {
  const small = randomBytes(1_000);
  const large = randomBytes(PIECE * 3 + 17);

  it.each<[string, Buffer, TestOciRegistryOptions]>([
    ['small, in one request', small, {}],
    ['large, in pieces', large, {}],
    ['of whole pieces', large.subarray(0, PIECE * 2), {}],
    ['of no bytes', Buffer.alloc(0), {}],
    ['by absolute addresses', large, { absoluteLocations: true }],
    ['in pieces as large as the registry wants', large, { chunkMinLength: PIECE * 2 }],
  ])('arrives: %s', async (_, bytes, options) => {
    registry = await start(options);
    await repositoryOf().writeBlob(blobOf(bytes), inParts(bytes));
    expect(registry.repository(NAME).blobs.get(sha256(bytes))?.equals(bytes)).toBe(true);
    const piece = Math.max(PIECE, options.chunkMinLength ?? 0);
    expect(registry.requests.filter(line => line.startsWith('PATCH')).length).toBe(
      bytes.length > piece ? Math.ceil(bytes.length / piece) : 0,
    );
  });

  it('is not made of what is there, or can be mounted', async () => {
    registry = await start();
    registry.repository(NAME).blobs.set(sha256(small), small);
    const never: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('it was read')) }) };
    await repositoryOf().writeBlob(blobOf(small), never);
    registry.repository('other/place').blobs.set(sha256(large), large);
    await repositoryOf().writeBlob(blobOf(large), never, { mountFrom: 'other/place' });
    expect(registry.repository(NAME).blobs.size).toBe(2);
  });

  it('asks after a cut how much has arrived, and sends the rest alone', async () => {
    registry = await start();
    let arrived = 0;
    registry.intervene(/^PATCH/, request => {
      request.on('data', (part: Buffer) => {
        arrived += part.length;
        if (arrived > 20_000) request.destroy();
      });
      return true;
    });
    await repositoryOf().writeBlob(blobOf(large), inParts(large));
    expect(registry.repository(NAME).blobs.get(sha256(large))?.equals(large)).toBe(true);
    expect(registry.requests.filter(line => /^GET .*uploads/.test(line)).length).toBe(1);
  });

  it('is done when the registry stored it and its answer was lost', async () => {
    registry = await start();
    registry.intervene(/^PUT/, (_, response) => {
      registry.repository(NAME).blobs.set(sha256(large), large);
      response.destroy();
    });
    await repositoryOf().writeBlob(blobOf(large), inParts(large));
    expect(registry.requests.filter(line => line.startsWith('PUT')).length).toBe(1);
  });

  it('is given up when the registry has lost what it had', async () => {
    registry = await start();
    let patches = 0;
    registry.intervene(/^PATCH/, (_, response) => ++patches < 2 || void response.destroy(), 2);
    registry.intervene(/^GET .*uploads/, (_, response) => void response.writeHead(404).end());
    expect(await codeOf(repositoryOf().writeBlob(blobOf(large), inParts(large)))).toBe('ERR_REGISTRY_UNAVAILABLE');
  });

  it.each([
    ['other bytes', randomBytes(large.length)],
    ['fewer bytes', large.subarray(1)],
    ['more bytes', Buffer.concat([large, small])],
  ])('of a source with %s leaves nothing', async (_, source) => {
    registry = await start();
    expect(await codeOf(repositoryOf().writeBlob(blobOf(large), inParts(source)))).toBe('ERR_PACK_CORRUPT');
    expect(registry.repository(NAME).blobs.size).toBe(0);
    expect(registry.requests.at(-1)).toMatch(/^DELETE .*uploads/);
  });

  it('goes nowhere else, whatever the registry names as its place', async () => {
    registry = await start();
    const other = await start();
    registry.intervene(
      /^POST/,
      (_, response) => void response.writeHead(202, { location: `http://${other.host}/v2/x/blobs/uploads/1` }).end(),
    );
    const registries = [registry.allowed, other.allowed];
    expect(await codeOf(repositoryOf({ registries }).writeBlob(blobOf(small), inParts(small)))).toBe('ERR_REGISTRY_NOT_ALLOWED');
    expect(other.requests).toEqual([]);
  });
});

describe('a busy or broken registry', () => {
  beforeEach(async () => {
    registry = await start();
  });

  it('is asked again after the time it names, but not after any', async () => {
    registry.intervene(/tags/, (_, response) => void response.writeHead(429, { 'retry-after': '2' }).end());
    registry.intervene(/tags/, (_, response) => void response.writeHead(503, { 'retry-after': '86400' }).end());
    registry.intervene(/tags/, (_, response) => void response.destroy());
    for await (const tag of repositoryOf({ longestPauseMs: 5_000 }).tags()) throw new Error(tag);
    expect(pauses.slice(0, 2)).toEqual([2_000, 5_000]);
    expect(pauses[2]).toBeLessThanOrEqual(1_000);
  });

  it('is given up after so many attempts', async () => {
    registry.intervene(/manifests/, (_, response) => void response.writeHead(500).end(), 9);
    const error = await repositoryOf({ attempts: 3 })
      .resolve('v1')
      .catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ERR_REGISTRY_UNAVAILABLE', retry: 'later' });
    expect(registry.requests.length).toBe(3);
  });

  it('is given up when nothing moves', async () => {
    registry.intervene(/manifests/, () => undefined, 2);
    expect(await codeOf(repositoryOf({ attempts: 2, idleMs: 50 }).resolve('v1'))).toBe('ERR_REGISTRY_UNAVAILABLE');
  });

  it('is left alone by a caller who has had enough', async () => {
    registry.intervene(/manifests/, () => undefined);
    const asked = repositoryOf().resolve('v1', AbortSignal.timeout(50));
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is refused an answer longer than it may be, and one that is not its digest', async () => {
    const repository = registry.repository(NAME);
    const named = sha256('named');
    repository.manifests.set(named, { mediaType: MEDIA_TYPES.ociManifest, bytes: Buffer.alloc(5 * 1024 * 1024) });
    expect(await codeOf(repositoryOf().manifest(named))).toBe('ERR_REGISTRY_CORRUPT');
    repository.manifests.set(named, { mediaType: MEDIA_TYPES.ociManifest, bytes: Buffer.from('{}') });
    expect(await codeOf(repositoryOf().manifest(named))).toBe('ERR_REGISTRY_CORRUPT');
  });
});

describe('manifests and tags', () => {
  const aManifest = (text: string, subject?: Digest) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        artifactType: 'application/vnd.test',
        config: { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: 2 },
        layers: [],
        annotations: { text },
        ...(subject !== undefined && { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: subject, size: 1 } }),
      }),
    );
  const put = (repository: ReturnType<typeof repositoryOf>, reference: string, bytes: Buffer) =>
    repository.putManifest(reference, { mediaType: MEDIA_TYPES.ociManifest, bytes });

  async function ready(options: TestOciRegistryOptions): Promise<ReturnType<typeof repositoryOf>> {
    registry = await start(options);
    registry.repository(NAME).blobs.set(sha256(EMPTY_JSON), EMPTY_JSON);
    return repositoryOf();
  }

  it('are found by tag and digest, as they were put', async () => {
    const repository = await ready({});
    const bytes = aManifest('one');
    const digest = await put(repository, 'v1', bytes);
    for (const reference of ['v1', digest]) {
      expect(await repository.resolve(reference)).toEqual({ digest, size: bytes.length, mediaType: MEDIA_TYPES.ociManifest });
      expect((await repository.manifest(reference))?.bytes.equals(bytes)).toBe(true);
    }
    expect([await repository.resolve('v2'), await repository.manifest('v2')]).toEqual([undefined, undefined]);
  });

  it('are listed page by page', async () => {
    const repository = await ready({ pageSize: 2 });
    for (const tag of ['a', 'b', 'c', 'd', 'e']) await put(repository, tag, aManifest('one'));
    const tags: string[] = [];
    for await (const tag of repository.tags()) tags.push(tag);
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([true, false])('lose a tag alone, also where only manifests can be removed (tags can be: %s)', async tagDeletes => {
    const repository = await ready({ tagDeletes });
    const digest = await put(repository, 'v1', aManifest('one'));
    await put(repository, 'latest', aManifest('one'));
    await repository.removeTag('latest');
    expect([await repository.resolve('latest'), (await repository.resolve('v1'))?.digest]).toEqual([undefined, digest]);
    expect([...registry.repository(NAME).manifests.keys()]).toEqual([digest]);
  });

  describe.each([true, false])('that refer to another, with a referrers API: %s,', referrersApi => {
    it('are listed with it, however many are put at a time, and no more when they are gone', async () => {
      const repository = await ready({ referrersApi });
      const subject = await put(repository, 'v1', aManifest('subject'));
      const referring = Array.from({ length: 5 }, (_, n) => aManifest(`referrer ${n}`, subject));
      await Promise.all(referring.map(bytes => put(repository, sha256(bytes), bytes)));
      const listed = await repository.referrers(subject);
      expect(listed.map(({ digest }) => digest).toSorted()).toEqual(referring.map(bytes => sha256(bytes)).toSorted());
      expect(listed[0]).toMatchObject({ artifactType: 'application/vnd.test', annotations: { text: expect.any(String) as string } });
      expect(registry.repository(NAME).tags.has(fallbackTag(subject))).toBe(!referrersApi);
      for (const bytes of referring.slice(1)) await repository.removeManifest(sha256(bytes));
      expect((await repository.referrers(subject)).map(({ digest }) => digest)).toEqual([sha256(referring[0] ?? '')]);
      expect(await repository.referrers(sha256('nobody'))).toEqual([]);
    });
  });

  it('that refer to another are merged with what another client lists at the same time', async () => {
    const repository = await ready({});
    const subject = await put(repository, 'v1', aManifest('subject'));
    const [theirs, ours] = [aManifest('theirs', subject), aManifest('ours', subject)];
    // They read the list before ours was there, and put theirs in its place after.
    registry.intervene(new RegExp(`^PUT .*${fallbackTag(subject)}`), async (_, response) => {
      const other = clientOf().repository(registry.host, NAME);
      await put(other, sha256(theirs), theirs);
      response.writeHead(201).end();
    });
    await put(repository, sha256(ours), ours);
    expect((await repository.referrers(subject)).map(({ digest }) => digest)).toEqual([sha256(theirs), sha256(ours)]);
  });
});

describe('a registry that nobody may connect to', () => {
  beforeEach(async () => {
    registry = await start();
  });

  it('is one that the list lacks', () => {
    const host = 'elsewhere.example';
    const allowed = { code: 'ERR_REGISTRY_NOT_ALLOWED' };
    expect(() => clientOf().repository(host, NAME)).toThrow(expect.objectContaining(allowed) as Error);
  });

  it('is one at a private address of which the list does not say so', async () => {
    const port = registry.host.split(':')[1];
    for (const host of [registry.host, `localhost:${port}`]) {
      const registries = [{ host, protocol: 'http:' as const, allowsPrivate: false }];
      expect(await codeOf(clientOf({ registries }).repository(host, NAME).resolve('v1'))).toBe('ERR_REGISTRY_NOT_ALLOWED');
    }
    expect(registry.requests).toEqual([]);
  });

  it.each(['', 'A/b', 'a//b', '../a', 'a/', 'a'.repeat(256)])('or has the repository %j', name => {
    expect(() => clientOf().repository(registry.host, name)).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_REQUEST_INVALID' }) as Error,
    );
  });
});
