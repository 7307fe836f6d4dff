import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@packs/testing';
import { Caller, type Answer } from './caller';
import { CuttingProxy } from './cutting-proxy';
import { waitsForLock, whileLocked } from './database-lock';
import { Registry } from './registry';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
let registry: Registry;
let tenant: Caller;
let app: string;

beforeAll(async () => {
  registry = await Registry.shared();
});
beforeEach(async () => {
  tenant = await registry.caller();
  app = `/v2/${tenant.tenant}/team/app`;
});

interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

function blobOf(bytes: Buffer): Blob {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}
const aBlob = (size: number): Blob => blobOf(randomBytes(size));

async function begin(caller = tenant): Promise<string> {
  const { status, headers } = await caller.send('POST', `${app}/blobs/uploads/`);
  expect(status).toBe(202);
  return headers.get('location') ?? '';
}

const patch = (path: string, { bytes }: Blob, first: number, end: number, caller = tenant, signal?: AbortSignal) =>
  caller.send('PATCH', path, {
    headers: { 'content-range': `${first}-${end - 1}` },
    body: bytes.subarray(first, end),
    ...(signal && { signal }),
  });

/** How many bytes an upload has; undefined when it is not there any more. */
async function sizeOf(path: string, caller = tenant): Promise<number | undefined> {
  const { status, headers } = await caller.send('GET', path);
  if (status === 404) return undefined;
  expect(status).toBe(204);
  const last = Number(headers.get('range')?.replace('0-', ''));
  return last === 0 ? 0 : last + 1;
}

/** What a client does that wants its blob there, whatever happened before. */
async function push(blob: Blob, path: string): Promise<void> {
  const { status } = await tenant.send('HEAD', `${app}/blobs/${blob.digest}`);
  if (status === 200) return;
  expect(status).toBe(404);
  const size = await sizeOf(path);
  const finished =
    size === undefined ? undefined : await tenant.send('PUT', path, { query: { digest: blob.digest }, body: blob.bytes.subarray(size) });
  if (finished?.status === 201) return;
  if (finished) expect([finished.status, JSON.stringify(finished.body)]).toEqual([404, expect.stringContaining('BLOB_UPLOAD_UNKNOWN')]);
  const again = await tenant.send('POST', `${app}/blobs/uploads/`, { query: { digest: blob.digest }, body: blob.bytes });
  expect(again.status).toBe(201);
}

async function expectWhole(blob: Blob): Promise<void> {
  const { status, headers, bytes } = await tenant.get(`${app}/blobs/${blob.digest}`);
  expect([status, headers.get('docker-content-digest'), bytes.equals(blob.bytes)]).toEqual([200, blob.digest, true]);
  expect(await registry.sql('select id from gateway.uploads where tenant = $1', [tenant.tenant])).toEqual([]);
}

async function putManifest(blobs: readonly [Blob, Blob], tag: string): Promise<Answer> {
  const [config, layer] = blobs.map(({ bytes, digest }) => ({ mediaType: 'application/vnd.example.v1', digest, size: bytes.length }));
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] });
  return tenant.send('PUT', `${app}/manifests/${tag}`, { headers: { 'content-type': MANIFEST }, body });
}

async function pushed(): Promise<readonly [Blob, Blob]> {
  const blobs = [aBlob(100), aBlob(MIB)] as const;
  for (const { bytes, digest } of blobs) {
    expect((await tenant.send('POST', `${app}/blobs/uploads/`, { query: { digest }, body: bytes })).status).toBe(201);
  }
  return blobs;
}

describe('a push', () => {
  it('is an image that can be pulled by tag and digest, and taken out again', async () => {
    const blobs = await pushed();
    const put = await putManifest(blobs, 'v1');
    const digest = put.headers.get('docker-content-digest') ?? '';
    expect([put.status, put.headers.get('location')]).toEqual([201, `${app}/manifests/${digest}`]);
    for (const reference of ['v1', digest]) {
      const { status, headers, bytes } = await tenant.get(`${app}/manifests/${reference}`);
      expect([status, headers.get('content-type'), blobOf(bytes).digest]).toEqual([200, MANIFEST, digest]);
    }
    for (const blob of blobs) await expectWhole(blob);
    expect((await tenant.send('DELETE', `${app}/manifests/v1`)).status).toBe(202);
    expect((await tenant.get(`${app}/manifests/v1`)).status).toBe(404);
    expect((await tenant.get(`${app}/manifests/${digest}`)).status).toBe(200);
    expect((await tenant.send('DELETE', `${app}/manifests/${digest}`)).status).toBe(202);
    expect((await tenant.get(`${app}/manifests/${digest}`)).status).toBe(404);
  });

  it('of the same manifest under another tag writes no bytes again', async () => {
    const blobs = await pushed();
    const first = await putManifest(blobs, 'v1');
    const objects = () => readdirSync(join(registry.facts.dataDir, 'blobs'), { recursive: true }).length;
    const before = objects();
    const second = await putManifest(blobs, 'v2');
    expect([second.status, second.headers.get('docker-content-digest')]).toEqual([201, first.headers.get('docker-content-digest')]);
    expect(objects()).toBe(before);
    expect((await tenant.get(`${app}/tags/list`)).body).toMatchObject({ tags: ['v1', 'v2'] });
  });

  it('into another tenant’s namespace is refused, whatever is there', async () => {
    await pushed();
    const stranger = await registry.caller();
    for (const path of [app, `/v2/${tenant.tenant}/absent`]) {
      const refused = await stranger.send('POST', `${path}/blobs/uploads/`);
      expect([refused.status, JSON.stringify(refused.body)]).toEqual([403, expect.stringContaining('"DENIED"')]);
    }
  });

  it('mounts nothing of another tenant', async () => {
    const [blob] = await pushed();
    const stranger = await registry.caller();
    const mount = (from: string) =>
      stranger.send('POST', `/v2/${stranger.tenant}/app/blobs/uploads/`, { query: { mount: blob.digest, from } });
    for (const from of [app.slice('/v2/'.length), `${tenant.tenant}/absent`]) expect((await mount(from)).status).toBe(202);
    expect((await stranger.send('HEAD', `/v2/${stranger.tenant}/app/blobs/${blob.digest}`)).status).toBe(404);
  });
});

describe('a connection that breaks', () => {
  let proxy: CuttingProxy;
  let through: Caller;
  beforeEach(async () => {
    proxy = await CuttingProxy.start(registry.gatewayUrl);
    through = new Caller(proxy.url, tenant.token, tenant.tenant);
  });
  afterEach(() => proxy.close());

  it('in the middle of a body costs the client the bytes that did not arrive, and no more', async () => {
    const blob = aBlob(8 * MIB);
    const path = await begin();
    proxy.cutAfter = { up: 5 * MIB };
    await expect(patch(path, blob, 0, blob.bytes.length, through)).rejects.toThrow();
    const size = await eventually(async () => {
      const found = (await sizeOf(path)) ?? 0;
      expect(found).toBeGreaterThan(4 * MIB);
      return found;
    });
    const finished = await tenant.send('PUT', path, { query: { digest: blob.digest }, body: blob.bytes.subarray(size) });
    expect(finished.status).toBe(201);
    await expectWhole(blob);
  });

  it('before the answer of a finished upload leaves the blob where its client finds it', async () => {
    const blob = aBlob(MIB);
    const path = await begin();
    await patch(path, blob, 0, MIB);
    proxy.cutAfter = { down: 0 };
    await expect(through.send('PUT', path, { query: { digest: blob.digest } })).rejects.toThrow();
    await eventually(async () => expect((await tenant.send('HEAD', `${app}/blobs/${blob.digest}`)).status).toBe(200));
    await push(blob, path);
    await expectWhole(blob);
  });
});

describe('the gateway is killed', () => {
  const gateway = () => registry.part('api-gateway');

  it('while it takes a chunk: what it acknowledged before is there, and the client goes on', async () => {
    const blob = aBlob(6 * MIB);
    const path = await begin();
    expect((await patch(path, blob, 0, 2 * MIB)).status).toBe(202);
    const proxy = await CuttingProxy.start(registry.gatewayUrl);
    const through = new Caller(proxy.url, tenant.token, tenant.tenant);
    // The rest of the chunk never comes: the gateway stands in the middle of it.
    const hanging = new AbortController();
    const half = new ReadableStream({ start: controller => controller.enqueue(blob.bytes.subarray(2 * MIB, 4 * MIB)) });
    const pending = fetch(new URL(path, through.base), {
      ...{ method: 'PATCH', headers: { authorization: `Bearer ${tenant.token}` }, body: half, signal: hanging.signal },
      ...{ duplex: 'half' },
    } as RequestInit).catch(() => 'no answer');
    await eventually(async () =>
      expect(await registry.sql('select 1 from gateway.uploads where tenant = $1 and lease_until > now()', [tenant.tenant])).toHaveLength(
        1,
      ),
    );
    await gateway().without(async () => expect(await pending).toBe('no answer'));
    await proxy.close();
    expect(await sizeOf(path)).toBe(2 * MIB);
    // Its lease ends by itself.
    await eventually(async () => expect((await patch(path, blob, 2 * MIB, 6 * MIB)).status).toBe(202), 30_000);
    expect((await tenant.send('PUT', path, { query: { digest: blob.digest } })).status).toBe(201);
    await expectWhole(blob);
  });

  it('between the bytes and their record: nothing is half there, and the client gets its blob in', async () => {
    const blob = aBlob(3 * MIB);
    const path = await begin();
    await patch(path, blob, 0, blob.bytes.length);
    await whileLocked(registry, 'lock table content.repository_blobs in share mode', [], async () => {
      const pending = tenant.send('PUT', path, { query: { digest: blob.digest } }).catch(() => 'no answer');
      await waitsForLock(registry, 'api-gateway');
      await gateway().kill('SIGKILL');
      expect(await pending).toBe('no answer');
    });
    await gateway().start();
    await eventually(() => push(blob, path), 30_000);
    await expectWhole(blob);
  });

  it('while a manifest is recorded: the same push again is answered as if nothing had been', async () => {
    const blobs = await pushed();
    const first = await whileLocked(registry, 'lock table registry.tags in share mode', [], async () => {
      const pending = putManifest(blobs, 'v1').catch(() => 'no answer');
      await waitsForLock(registry, 'api-gateway');
      await gateway().kill('SIGKILL');
      return pending;
    });
    expect(first).toBe('no answer');
    await gateway().start();
    const put = await putManifest(blobs, 'v1');
    expect(put.status).toBe(201);
    expect((await tenant.get(`${app}/manifests/v1`)).headers.get('docker-content-digest')).toBe(put.headers.get('docker-content-digest'));
  });
});

it('uploads that nobody goes on with are cleared away, with their bytes', async () => {
  const path = await begin();
  await patch(path, aBlob(MIB), 0, MIB);
  const unfinished = () => readdirSync(join(registry.facts.dataDir, 'blobs', 'tmp')).length;
  const before = unfinished();
  await registry.sql(`update gateway.uploads set touched_at = now() - interval '25 hours' where tenant = $1`, [tenant.tenant]);
  await registry.part('api-gateway').without(async () => undefined);
  await eventually(async () => expect(await sizeOf(path)).toBeUndefined());
  await eventually(() => expect(unfinished()).toBeLessThan(before));
});
