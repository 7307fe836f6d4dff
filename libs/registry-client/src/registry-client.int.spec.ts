import { randomBytes } from 'node:crypto';
import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { RemoteRepository } from '@packs/ports';
import { OCI_PEERS, OciPeer, type OciPeerName } from '@packs/testing';
import { RegistryClient } from './registry-client';
import { fallbackTag } from './referrer-list';

const PIECE = 256 * 1024;
const NAME = 'team/app';

function clientOf(host: string): RegistryClient {
  return new RegistryClient({
    registries: [{ host, protocol: 'http:', allowsPrivate: true }],
    credentialsOf: () => Promise.resolve(undefined),
    pieceBytes: PIECE,
    firstPauseMs: 50,
  });
}

async function* inParts(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

const blobOf = (bytes: Buffer) => ({ digest: sha256(bytes), size: bytes.length });

function aManifest(text: string, subject?: Digest): Buffer {
  const empty = { mediaType: MEDIA_TYPES.ociEmpty, ...blobOf(EMPTY_JSON) };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: 'application/vnd.test',
      config: empty,
      layers: [empty],
      annotations: { text },
      ...(subject !== undefined && { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: subject, size: 1 } }),
    }),
  );
}

/** Lets so many bytes through towards the registry before it cuts the first connection. */
async function cuttingProxy(host: string, bytes: number): Promise<{ readonly server: Server; readonly host: string }> {
  const [name, port] = host.split(':');
  let left = bytes;
  let isCut = false;
  const server = createServer(client => {
    const upstream = connect(Number(port), name);
    upstream.pipe(client);
    client.on('data', part => {
      left -= part.length;
      upstream.write(part);
      if (left > 0 || isCut) return;
      isCut = true;
      // What was written arrives; nothing else does, either way.
      upstream.end();
      client.destroy();
    });
    client.on('end', () => upstream.end());
    for (const socket of [client, upstream]) socket.on('error', () => (client.destroy(), upstream.destroy()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.each(OCI_PEERS)('against %s', name => {
  const isWanted = OciPeer.isWanted(name);
  (isWanted ? describe : describe.skip)(isWanted ? 'as it is installed' : '(skipped: it is not installed)', () => {
    let peer: OciPeer;
    let repository: RemoteRepository;
    beforeAll(async () => {
      peer = await OciPeer.start(name);
      repository = clientOf(peer.host).repository(peer.host, NAME);
      await repository.writeBlob(blobOf(EMPTY_JSON), inParts(EMPTY_JSON));
    }, 30_000);
    afterAll(() => peer.end());

    it('stores and reads blobs, small and in pieces, and mounts them', async () => {
      const other = clientOf(peer.host).repository(peer.host, 'team/other');
      for (const size of [1, 1_000, PIECE, PIECE * 3 + 17]) {
        const bytes = randomBytes(size);
        const blob = blobOf(bytes);
        expect(await repository.blobSize(blob.digest)).toBeUndefined();
        await repository.writeBlob(blob, inParts(bytes));
        expect(await repository.blobSize(blob.digest)).toBe(size);
        expect((await read(repository.readBlob(blob))).equals(bytes)).toBe(true);
        await other.writeBlob(blob, inParts(bytes), { mountFrom: NAME });
        expect(await other.blobSize(blob.digest)).toBe(size);
      }
    });

    it('goes on with an upload whose connection was cut', async () => {
      const bytes = randomBytes(PIECE * 4);
      const proxy = await cuttingProxy(peer.host, PIECE * 2.5);
      try {
        const through = clientOf(proxy.host).repository(proxy.host, NAME);
        const written = through.writeBlob(blobOf(bytes), inParts(bytes));
        // Distribution 2.8 ends an upload that is asked about after bytes arrived of which it has not told.
        if (name === 'docker-registry') await expect(written).rejects.toMatchObject({ code: 'ERR_REGISTRY_UNAVAILABLE', retry: 'later' });
        await (name === 'docker-registry' ? through.writeBlob(blobOf(bytes), inParts(bytes)) : written);
        expect((await read(repository.readBlob(blobOf(bytes)))).equals(bytes)).toBe(true);
      } finally {
        proxy.server.close();
      }
    });

    describeManifests(name, () => repository);
  });
});

function describeManifests(name: OciPeerName, current: () => RemoteRepository): void {
  it('stores, finds, lists and removes manifests and tags', async () => {
    const repository = current();
    const bytes = aManifest('one');
    const digest = await repository.putManifest('v1', { mediaType: MEDIA_TYPES.ociManifest, bytes });
    await repository.putManifest('latest', { mediaType: MEDIA_TYPES.ociManifest, bytes });
    expect(await repository.resolve('latest')).toEqual({ digest, size: bytes.length, mediaType: MEDIA_TYPES.ociManifest });
    expect((await repository.manifest(digest))?.bytes.equals(bytes)).toBe(true);
    await repository.removeTag('latest');
    const tags: string[] = [];
    for await (const tag of repository.tags()) tags.push(tag);
    expect([tags, await repository.resolve('latest'), (await repository.resolve('v1'))?.digest]).toEqual([['v1'], undefined, digest]);
    await repository.removeManifest(digest);
    expect([await repository.resolve('v1'), await repository.resolve(digest)]).toEqual([undefined, undefined]);
  });

  it('lists who refers to a manifest, by the API or by the tag that stands in for it', async () => {
    const repository = current();
    const subject = await repository.putManifest('subject', { mediaType: MEDIA_TYPES.ociManifest, bytes: aManifest('subject') });
    const referring = ['a', 'b', 'c'].map(text => aManifest(text, subject));
    await Promise.all(referring.map(bytes => repository.putManifest(sha256(bytes), { mediaType: MEDIA_TYPES.ociManifest, bytes })));
    const digests = async () => (await repository.referrers(subject)).map(({ digest }) => digest).toSorted();
    expect(await digests()).toEqual(referring.map(bytes => sha256(bytes)).toSorted());
    expect((await repository.resolve(fallbackTag(subject))) !== undefined).toBe(name !== 'zot');
    await repository.removeManifest(sha256(referring[0] ?? ''));
    expect(await digests()).toEqual(
      referring
        .slice(1)
        .map(bytes => sha256(bytes))
        .toSorted(),
    );
  });
}
