import { randomBytes } from 'node:crypto';
import { DomainError, EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { RemoteRepository } from '@packs/ports';
import { RegistryClient } from '@packs/registry-client';
import type { Caller } from './caller';
import { newTenant, Registry } from './registry';

const PIECE = 256 * 1024;
let registry: Registry;
let caller: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  caller = await registry.caller();
});

const host = (): string => new URL(registry.gatewayUrl).host;

/** A client that shows what `docker login` would have kept: any name, and an access token. */
function clientOf(token: string | null): RegistryClient {
  return new RegistryClient({
    registries: [{ host: host(), protocol: 'http:', allowsPrivate: true }],
    credentialsOf: () => Promise.resolve(token === null ? undefined : { username: 'robot', password: token }),
    pieceBytes: PIECE,
  });
}

const repositoryOf = (name: string, token = caller.token): RemoteRepository =>
  clientOf(token).repository(host(), `${caller.tenant}/${name}`);
const blobOf = (bytes: Buffer) => ({ digest: sha256(bytes), size: bytes.length });

async function* inParts(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

function aManifest(text: string, subject?: Digest): Buffer {
  const empty = { mediaType: MEDIA_TYPES.ociEmpty, ...blobOf(EMPTY_JSON) };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: 'application/vnd.test',
    config: empty,
    layers: [empty],
  };
  const about = subject !== undefined && { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: subject, size: 1 } };
  return Buffer.from(JSON.stringify({ ...manifest, annotations: { text }, ...about }));
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );

describe('our own client at our own door', () => {
  it('is given tokens, stores blobs whole and in pieces, and mounts them', async () => {
    const [repository, other] = [repositoryOf('images/app'), repositoryOf('images/other')];
    for (const size of [1, PIECE, PIECE * 3 + 17]) {
      const bytes = randomBytes(size);
      await repository.writeBlob(blobOf(bytes), inParts(bytes));
      expect(await repository.blobSize(sha256(bytes))).toBe(size);
      expect((await read(repository.readBlob(blobOf(bytes)))).equals(bytes)).toBe(true);
      await other.writeBlob(blobOf(bytes), inParts(bytes), { mountFrom: `${caller.tenant}/images/app` });
      expect(await other.blobSize(sha256(bytes))).toBe(size);
    }
  });

  it('stores, finds, lists and removes manifests, tags and who refers to them', async () => {
    const repository = repositoryOf('images/tagged');
    await repository.writeBlob(blobOf(EMPTY_JSON), inParts(EMPTY_JSON));
    const put = (reference: string, bytes: Buffer) => repository.putManifest(reference, { mediaType: MEDIA_TYPES.ociManifest, bytes });
    const bytes = aManifest('one');
    const digest = await put('v1', bytes);
    await put('latest', bytes);
    expect(await repository.resolve('latest')).toEqual({ digest, size: bytes.length, mediaType: MEDIA_TYPES.ociManifest });
    const referring = ['a', 'b', 'c'].map(text => aManifest(text, digest));
    await Promise.all(referring.map(one => put(sha256(one), one)));
    const listed = async () => (await repository.referrers(digest)).map(one => one.digest).toSorted();
    expect(await listed()).toEqual(referring.map(one => sha256(one)).toSorted());
    await repository.removeManifest(sha256(referring[0] ?? ''));
    expect((await listed()).length).toBe(2);
    await repository.removeTag('latest');
    const tags: string[] = [];
    for await (const tag of repository.tags()) tags.push(tag);
    expect(tags).toEqual(['v1']);
  });

  it('is let into nobody else’s namespace, and nowhere without credentials', async () => {
    const bytes = randomBytes(10);
    const foreign = clientOf(caller.token).repository(host(), `${newTenant()}/app`);
    expect(await codeOf(foreign.writeBlob(blobOf(bytes), inParts(bytes)))).toBe('ERR_REGISTRY_DENIED');
    expect(await foreign.resolve('v1')).toBeUndefined();
    const stranger = clientOf(null).repository(host(), `${caller.tenant}/images/app`);
    expect(await codeOf(stranger.writeBlob(blobOf(bytes), inParts(bytes)))).toBe('ERR_REGISTRY_DENIED');
    expect(await codeOf(repositoryOf('images/app', 'no-token').resolve('v1'))).toBe('ERR_REGISTRY_DENIED');
  });
});
