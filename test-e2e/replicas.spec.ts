import { randomBytes } from 'node:crypto';
import type { PublishAnswer } from '@packs/contracts';
import type { Caller } from './caller';
import { aBundle, aManifest, BUNDLE_TYPE, digestOf } from './pack-bundle';
import { Registry, type Part } from './registry';
import { ReplicaLine } from './replica-line';
import { SigningKey } from './signing-key';

const MIB = 1024 * 1024;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCTETS = { 'content-type': 'application/octet-stream' };
const EMPTY = Buffer.from('{}');
const key = new SigningKey('release');
// Which process holds a connection is read from /proc.
const hasProc = process.platform === 'linux';
const itOnLinux = hasProc ? it : it.skip;
let registry: Registry;
let caller: Caller;
let parts: { readonly a: Part; readonly b: Part };
let a: ReplicaLine;
let b: ReplicaLine;

const lineTo = async (part: Part, authorization = `Bearer ${caller.token}`): Promise<ReplicaLine> =>
  ReplicaLine.to((await part.pid()) ?? 0, registry.gatewayUrl, authorization);
const path = (rest: string): string => `/v2/${caller.tenant}/shared/${rest}`;

beforeAll(async () => {
  if (!hasProc) return;
  registry = await Registry.start({ GATEWAY_PROCESSES: '2' });
  caller = await registry.caller();
  await caller.accept(key);
  parts = { a: registry.part('api-gateway'), b: registry.part('api-gateway-2') };
  [a, b] = [await lineTo(parts.a), await lineTo(parts.b)];
});

afterAll(async () => {
  if (!hasProc) return;
  a.close();
  b.close();
  await registry.end();
});

const chunk = (bytes: Buffer, from: number) => ({
  body: bytes,
  headers: { ...OCTETS, 'content-range': `${from}-${from + bytes.length - 1}` },
});

async function begin(line: ReplicaLine): Promise<string> {
  const { status, headers } = await line.send('POST', path('blobs/uploads/'));
  expect(status).toBe(202);
  return headers.get('location') ?? '';
}

/** One PATCH a piece, over one line after the other. */
async function sendPieces(location: string, pieces: readonly Buffer[], lines: readonly ReplicaLine[], from = 0): Promise<void> {
  for (const [at, piece] of pieces.entries()) {
    const offset = from + Buffer.concat(pieces.slice(0, at)).length;
    expect((await lines[at % lines.length]?.send('PATCH', location, chunk(piece, offset)))?.status).toBe(202);
  }
}

/** An upload whose one chunk is there. */
async function beginWith(line: ReplicaLine, bytes: Buffer): Promise<string> {
  const location = await begin(line);
  await sendPieces(location, [bytes], [line]);
  return location;
}

async function finish(line: ReplicaLine, location: string, digest: string): Promise<void> {
  const { status, headers } = await line.send('PUT', `${location}?digest=${digest}`);
  expect([status, headers.get('docker-content-digest')]).toEqual([201, digest]);
}

itOnLinux('takes the connections by turns, each process some of them', async () => {
  expect([a.isHeldBy((await parts.a.pid()) ?? 0), a.isHeldBy((await parts.b.pid()) ?? 0)]).toEqual([true, false]);
  expect([b.isHeldBy((await parts.a.pid()) ?? 0), b.isHeldBy((await parts.b.pid()) ?? 0)]).toEqual([false, true]);
});

itOnLinux('takes the pieces of one upload, its manifest and its readers at either', async () => {
  const pieces = [randomBytes(MIB), randomBytes(MIB + 1), randomBytes(5)];
  const blob = Buffer.concat(pieces);
  const location = await begin(a);
  await sendPieces(location, pieces, [b, a]);
  expect((await a.send('GET', location)).headers.get('range')).toBe(`0-${blob.length - 1}`);
  await finish(b, location, digestOf(blob));
  await finish(a, await beginWith(b, EMPTY), digestOf(EMPTY));

  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(EMPTY), size: EMPTY.length },
    layers: [{ mediaType: 'application/octet-stream', digest: digestOf(blob), size: blob.length }],
  });
  const put = await a.send('PUT', path('manifests/v1'), { body: manifest, headers: { 'content-type': OCI_MANIFEST } });
  expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf(manifest)]);
  for (const line of [b, a]) {
    for (const reference of ['v1', digestOf(manifest)]) {
      const read = await line.send('GET', path(`manifests/${reference}`));
      expect([read.status, read.bytes.toString()]).toEqual([200, manifest]);
    }
    expect(digestOf((await line.send('GET', path(`blobs/${digestOf(blob)}`))).bytes)).toBe(digestOf(blob));
    expect((await line.send<{ tags: string[] }>('GET', path('tags/list'))).body.tags).toEqual(['v1']);
  }
});

itOnLinux('knows a token of the one at the other', async () => {
  const scope = `repository:${caller.tenant}/shared:pull,push`;
  const { body } = await a.send<{ token: string }>('GET', `/token?service=packs-registry&scope=${encodeURIComponent(scope)}`);
  for (const part of [parts.b, parts.a]) {
    const line = await lineTo(part, `Bearer ${body.token}`);
    expect((await line.send('POST', path('blobs/uploads/'))).status).toBe(202);
    line.close();
  }
});

itOnLinux('publishes once what is sent to both with one idempotency key', async () => {
  const bundle = aBundle(aManifest('replicated'));
  const { content, mediaType } = key.sigstore(bundle.bytes);
  const publication = {
    body: bundle.bytes,
    headers: {
      'content-type': BUNDLE_TYPE,
      'idempotency-key': 'once-and-again',
      'stella-signature': content.toString('base64'),
      'stella-signature-type': mediaType,
    },
  };
  const publish = (line: ReplicaLine) => line.send<PublishAnswer>('POST', '/api/packs/replicated/versions', publication);
  const [first, second] = await Promise.all([publish(a), publish(b)]);
  const third = await publish(a);
  expect([first, second, third].map(({ body }) => body.manifestDigest)).toEqual(Array(3).fill(first.body.manifestDigest));
  for (const { status } of [first, second, third]) expect([200, 201]).toContain(status);
  const events = await registry.sql<{ count: string }>(
    `select count(*) from registry.outbox where strpos(convert_from(payload, 'UTF8'), 'pack.version.published') > 0
     and strpos(convert_from(payload, 'UTF8'), '"replicated"') > 0`,
  );
  expect(events).toEqual([{ count: '1' }]);
});

itOnLinux('goes on with an upload whose process was killed', async () => {
  const pieces = [randomBytes(2 * MIB), randomBytes(MIB)];
  const blob = Buffer.concat(pieces);
  const location = await beginWith(a, pieces[0] ?? EMPTY);
  await parts.a.without(async () => {
    a.close();
    const [, reached = ''] = /^0-(\d+)$/.exec((await b.send('GET', location)).headers.get('range') ?? '') ?? [];
    expect(Number(reached) + 1).toBe(pieces[0]?.length);
    await sendPieces(location, pieces.slice(1), [b], Number(reached) + 1);
    await finish(b, location, digestOf(blob));
  });
  // Back again, on the same port, and with no memory of its own.
  a = await lineTo(parts.a);
  expect(digestOf((await a.send('GET', path(`blobs/${digestOf(blob)}`))).bytes)).toBe(digestOf(blob));
});
