import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirrorResponse, ParityCheckView, Problem, PublishAnswer } from '@packs/contracts';
import { eventually, OciPeer } from '@packs/testing';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { addMirror, ask, ended, idle, jobOf, parityOf, sync } from './mirror-calls';
import { anImage, aPackArtifact, OCI_MANIFEST, ociBlob, type OciBlob } from './oci-content';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release');
const isWanted = OciPeer.isWanted('docker-registry');
const suite = isWanted ? describe : describe.skip;
const SKOPEO = spawnSync('skopeo', ['--version']).status === 0;

jest.setTimeout(90_000);

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly artifactType: string }[];
}

const NOTE = isWanted ? '' : ' (skipped: it is not installed)';

let peer: OciPeer;
let registry: Registry;
/** Another one, with nothing in common with the first. */
let other: Registry;
let folder: string;
let credentials: string;
let caller: Caller;
let mirror: MirrorResponse;
let bundle: Bundle;
let manifestDigest: string;

beforeAll(async () => {
  peer = await OciPeer.start('docker-registry');
  other = await Registry.shared();
  folder = mkdtempSync(join(tmpdir(), 'mirror-credentials-'));
  credentials = join(folder, 'config.json');
  await writeFile(credentials, '{"auths":{}}', { mode: 0o600 });
  const allowed = [peer.host, new URL(other.gatewayUrl).host].map(host => `http://${host} private`).join(', ');
  registry = await Registry.start({
    MIRROR_REGISTRIES: allowed,
    MIRROR_SOURCES: `http://${peer.host} private`,
    MIRROR_REGISTRY_CREDENTIALS_FILE: credentials,
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await registry.end();
  await peer.end();
});
beforeEach(async () => {
  caller = await registry.caller();
  await caller.accept(key);
  bundle = await publish('hello', '1.0.0+linux');
  ({ manifestDigest } = (await caller.version('hello', '1.0.0+linux')).body);
  mirror = await addMirror(caller, { kind: 'registry', location: `${peer.host}/mirrors/${caller.tenant}` });
  expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded', error: null });
});

async function publish(packId: string, version: string): Promise<Bundle> {
  const made = aBundle(aManifest(packId, version));
  const { status, body } = await caller.publish(made, { signatures: [key.sigstore(made.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return made;
}

/** As any client of the registry asks it. */
function held(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';
  return fetch(`http://${peer.host}/v2/mirrors/${caller.tenant}/hello/${path}`, {
    method,
    ...init,
    headers: { accept, ...init.headers },
  });
}

async function pushBlob({ bytes, digest }: OciBlob): Promise<void> {
  const begun = await held('POST', 'blobs/uploads/');
  const location = new URL(begun.headers.get('location') ?? '', `http://${peer.host}`);
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  expect((await fetch(location, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status).toBe(201);
}

async function pushManifest(tag: string, body: Buffer | string): Promise<void> {
  const headers = { 'content-type': OCI_MANIFEST };
  expect((await held('PUT', `manifests/${tag}`, { body: Buffer.from(body), headers })).status).toBe(201);
}

/** As cosign 2 signs. */
async function pushCosignature(digest: string): Promise<void> {
  const about = { identity: { 'docker-reference': 'hello' }, image: { 'docker-manifest-digest': digest } };
  const payload = Buffer.from(JSON.stringify({ critical: { ...about, type: 'cosign container image signature' }, optional: null }));
  const { bytes, blobs } = anImage('{}', [payload]);
  for (const blob of blobs) await pushBlob(blob);
  const { layers, ...rest } = JSON.parse(bytes.toString()) as { layers: object[] };
  const annotations = { 'dev.cosignproject.cosign/signature': key.raw(payload).content.toString('base64') };
  const mediaType = 'application/vnd.dev.cosign.simplesigning.v1+json';
  const manifest = JSON.stringify({ ...rest, layers: layers.map(layer => ({ ...layer, mediaType, annotations })) });
  await pushManifest(`${digest.replace(':', '-')}.sig`, manifest);
}

function authsOf(host: string, password: string | null): string {
  return JSON.stringify({ auths: { [host]: { auth: Buffer.from(`robot:${password ?? ''}`).toString('base64') } } });
}

const place = (): string => `${peer.host}/mirrors/${caller.tenant}/hello`;

async function registryTags(packId: string): Promise<string[]> {
  const answer = await fetch(`http://${peer.host}/v2/mirrors/${caller.tenant}/${packId}/tags/list`);
  return (((await answer.json()) as { tags?: string[] | null }).tags ?? []).toSorted();
}

async function digestAt(reference: string): Promise<string | null> {
  const answer = await held('GET', `manifests/${reference}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return answer.ok ? `sha256:${createHash('sha256').update(bytes).digest('hex')}` : null;
}

async function check(): Promise<ParityCheckView> {
  const { status, body } = await caller.send<ParityCheckView>('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } });
  expect(status).toBe(202);
  return eventually(async () => {
    const now = (await caller.get<ParityCheckView>(`/api/parity/checks/${body.id}`)).body;
    expect(['succeeded', 'failed']).toContain(now.state);
    return now;
  }, 20_000);
}

const fallback = (): string => manifestDigest.replace(':', '-');

suite(`a mirror in docker-registry, which has no referrers API,${NOTE}`, () => {
  it('has the same digests under the tags of its versions and channels, with the list of signatures that stands in', async () => {
    expect([await digestAt('1.0.0_linux'), await digestAt('edge'), await digestAt(manifestDigest)]).toEqual([
      manifestDigest,
      manifestDigest,
      manifestDigest,
    ]);
    const bytes = Buffer.from(await (await held('GET', `blobs/${bundle.digest}`)).arrayBuffer());
    expect(bytes.equals(bundle.bytes)).toBe(true);
    const { manifests } = (await (await held('GET', `manifests/${fallback()}`)).json()) as Index;
    expect(manifests.map(({ artifactType }) => artifactType)).toEqual(['application/vnd.dev.sigstore.bundle.v0.3+json']);
    expect(await digestAt(manifests[0]?.digest ?? '')).toBe(manifests[0]?.digest);
    expect(await check()).toMatchObject({ state: 'succeeded', inStep: true, counts: { 'in-step': 1 } });
  });

  (SKOPEO ? it : it.skip)(`is read by skopeo${SKOPEO ? '' : ' (skipped: it is not installed)'}`, () => {
    const image = `docker://${peer.host}/mirrors/${caller.tenant}/hello`;
    const { status, stdout } = spawnSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `${image}@${manifestDigest}`]);
    expect([status, `sha256:${createHash('sha256').update(stdout).digest('hex')}`]).toEqual([0, manifestDigest]);
  });

  it('follows the head of a channel, and leaves nothing of what it no longer selects', async () => {
    await publish('hello', '1.1.0');
    await eventually(async () => expect(await digestAt('edge')).toBe(await digestAt('1.1.0')), 15_000);
    expect(await digestAt('1.0.0_linux')).toBe(manifestDigest);
    await publish('other', '1.0.0');
    await eventually(async () => expect((await registryTags('other')).length).toBeGreaterThan(0), 15_000);
    await idle(caller, mirror);
    const { name, kind, location } = mirror;
    const changed = await caller.put(`/api/mirrors/${mirror.id}`, { name, kind, location, selection: { packIds: ['other'] } });
    expect(changed.status).toBe(200);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
    expect([await registryTags('hello'), await digestAt(manifestDigest)]).toEqual([[], null]);
  });
});

suite(`behind our back, at a mirror in docker-registry,${NOTE}`, () => {
  const other = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });

  it.each<[string, string, () => Promise<unknown>]>([
    ['a version that was deleted', 'missing', () => held('DELETE', `manifests/${manifestDigest}`)],
    ['a bundle that was deleted', 'missing', () => held('DELETE', `blobs/${bundle.digest}`)],
    [
      'a tag that was moved',
      'different-digest',
      () => held('PUT', 'manifests/1.0.0_linux', { body: other, headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' } }),
    ],
    ['a list of signatures that was deleted', 'missing-signature', async () => held('DELETE', `manifests/${await digestAt(fallback())}`)],
  ])('is found and mended: %s', async (_, state, damage) => {
    expect((await check()).inStep).toBe(true);
    await damage();
    expect(await check()).toMatchObject({ inStep: false, counts: { [state]: 1 } });
    expect((await parityOf(caller, mirror)).rows).toMatchObject([{ packId: 'hello', version: '1.0.0+linux', state }]);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
    expect(await check()).toMatchObject({ inStep: true });
    expect(await digestAt('1.0.0_linux')).toBe(manifestDigest);
  });

  it('is found: a tag that somebody added', async () => {
    await held('PUT', 'manifests/intruder', { body: other, headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' } });
    expect(await check()).toMatchObject({ inStep: false, counts: { extra: 1, 'in-step': 1 } });
    expect((await parityOf(caller, mirror)).rows.find(row => row.state === 'extra')?.path).toBe('hello/tags/intruder');
  });
});

suite(`a mirror in docker-registry${NOTE}`, () => {
  it('is tried again while the registry is down, and says why', async () => {
    await peer.stop();
    const job = await ask(caller, mirror);
    await eventually(async () => {
      const now = await jobOf(caller, job);
      expect([now.state, now.error?.code]).toEqual(['running', 'ERR_MIRROR_TARGET_UNAVAILABLE']);
      expect(now.nextAttemptAt).not.toBeNull();
    }, 30_000);
    await peer.start();
    expect(await ended(caller, job, 30_000)).toMatchObject({ state: 'succeeded', error: null });
  });

  it('is not connected to while the tenant is sealed', async () => {
    expect((await caller.put('/api/sealed', { sealed: true, reason: 'the site is on its own' })).status).toBe(200);
    expect(await check()).toMatchObject({ state: 'failed', error: { code: 'ERR_PACK_SEALED' } });
  });

  it.each([
    ['that does not end with the tenant', () => `${peer.host}/mirrors/${newTenant()}`],
    ['that nobody may connect to', () => `registry.example/${caller.tenant}`],
    ['of the machine’s own services', () => `169.254.169.254/${caller.tenant}`],
    ['with a password', () => `me:secret@${peer.host}/${caller.tenant}`],
  ])('is not made at a place %s', async (_, place) => {
    const json = { name: 'south', kind: 'registry', location: place() };
    const { status, body } = await caller.send<Problem>('POST', '/api/mirrors', { json });
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'ERR_MIRROR_TARGET_INVALID', 'location']);
  });
});

suite(`a mirror in another registry of this software${NOTE}`, () => {
  const host = (): string => new URL(other.gatewayUrl).host;

  it('is published there by its own keys, with the same digests, and channels are its own', async () => {
    const there = await other.caller(caller.tenant);
    expect([await there.trust(key), await there.policy({ keyRef: key.name }, { unsigned: 'pending' })]).toMatchObject([
      { status: 200 },
      { status: 200 },
    ]);
    await writeFile(credentials, authsOf(host(), there.token), { mode: 0o600 });
    const promoted = await caller.send('POST', '/api/packs/hello/promote', { json: { version: '1.0.0+linux', channel: 'stable' } });
    expect(promoted.status).toBe(200);
    mirror = await addMirror(caller, { name: 'sister', kind: 'registry', location: `${host()}/${caller.tenant}` });
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded', error: null });
    const version = (await there.version('hello', '1.0.0+linux')).body;
    expect(version).toMatchObject({ digest: bundle.digest, manifestDigest, channels: ['edge'] });
    expect((await there.bundle('hello', '1.0.0+linux')).bytes.equals(bundle.bytes)).toBe(true);
    expect(await check()).toMatchObject({ state: 'succeeded', inStep: true, counts: { 'in-step': 1 } });
    expect(await sync(caller, mirror, { verify: true })).toMatchObject({ state: 'succeeded', error: null });
    expect(await check()).toMatchObject({ state: 'succeeded', inStep: true, counts: { 'in-step': 1 } });
  });
});

suite(`a publish by reference to docker-registry${NOTE}`, () => {
  const publishFrom = (publisher: Caller, reference: string, packId = 'hello') =>
    publisher.send<PublishAnswer & Problem>('POST', `/api/packs/${packId}/versions`, { json: { reference } });
  it.each([
    ['tag', () => `${place()}:1.0.0_linux`],
    ['digest', () => `${place()}@${manifestDigest}`],
  ])('by its %s gives the same version, as signed there', async (_, reference) => {
    const publisher = await registry.caller();
    await publisher.accept(key);
    const { status, body } = await publishFrom(publisher, reference());
    expect([status, body]).toMatchObject([
      201,
      { version: '1.0.0+linux', tenant: publisher.tenant, digest: bundle.digest, manifestDigest },
    ]);
    expect((await publisher.bundle('hello', '1.0.0+linux')).bytes.equals(bundle.bytes)).toBe(true);
    expect((await publishFrom(publisher, reference())).status).toBe(200);
  });

  it('keeps the manifest that was signed there by cosign 2, byte for byte', async () => {
    const publisher = await registry.caller();
    await publisher.accept(key);
    const pack = aPackArtifact(aBundle(aManifest('hello', '2.0.0')));
    const text = JSON.stringify(
      { ...(JSON.parse(pack.bytes.toString()) as object), annotations: { 'org.example.built-by': 'ci' } },
      null,
      1,
    );
    const { bytes, digest } = ociBlob(text);
    for (const blob of pack.blobs) await pushBlob(blob);
    await pushManifest('2.0.0', bytes);
    await pushCosignature(digest);
    const answer = await publishFrom(publisher, `${place()}:2.0.0`);
    expect([answer.status, answer.body]).toMatchObject([201, { manifestDigest: digest, state: 'published' }]);
    const kept = await publisher.send('GET', `/v2/${publisher.tenant}/hello/manifests/2.0.0`, { headers: { accept: OCI_MANIFEST } });
    expect([kept.status, kept.bytes.equals(bytes)]).toEqual([200, true]);
  });

  it('is judged as any other: by the keys of who publishes it', async () => {
    const publisher = await registry.caller();
    await publisher.accept(new SigningKey('other'));
    const { status, body } = await publishFrom(publisher, `${place()}:1.0.0_linux`);
    expect([status, body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
    expect((await publisher.version('hello', '1.0.0+linux')).status).toBe(404);
  });

  it.each([
    ['nothing is', () => `${place()}:9.9.9`, 404, 'ERR_PACK_NOT_FOUND'],
    ['nobody may connect to', () => 'registry.example/acme/hello:1.0.0', 403, 'ERR_REGISTRY_NOT_ALLOWED'],
    ['machines have services of their own', () => '169.254.169.254/acme/hello:1.0.0', 403, 'ERR_REGISTRY_NOT_ALLOWED'],
    ['is no place', () => 'hello', 400, 'ERR_PACK_REQUEST_INVALID'],
  ])('is refused where %s', async (_, reference, status, code) => {
    const answer = await publishFrom(caller, reference());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

suite(`stella, with docker-registry${NOTE}`, () => {
  it('has a pack that lies there published, and pulls packs from any registry with docker’s credentials', async () => {
    const publisher = await registry.caller();
    await publisher.accept(key);
    const line = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: publisher.token ?? '', DOCKER_CONFIG: folder });
    await writeFile(join(line.folder, 'key.pem'), key.publicKey);
    const published = await line.json<PublishAnswer>('pack', 'push', '--reference', `${place()}:1.0.0_linux`);
    expect(published).toMatchObject({ packId: 'hello', manifestDigest, tenant: publisher.tenant });
    const ours = new URL(registry.gatewayUrl).host;
    await writeFile(credentials, authsOf(ours, publisher.token));
    for (const [at, from] of [`${place()}:1.0.0_linux`, `${ours}/${publisher.tenant}/hello@${manifestDigest}`].entries()) {
      const [out, wanted] = [`pulled-${at}.tgz`, ['--plain-http', '--key', 'key.pem']];
      const pulled = await line.json<object>('pack', 'pull', `oci://${from}`, '--out', out, ...wanted);
      expect(pulled).toMatchObject({ packId: 'hello', version: '1.0.0+linux', digest: bundle.digest, manifestDigest, signedBy: {} });
      expect(readFileSync(join(line.folder, out)).equals(bundle.bytes)).toBe(true);
    }
    expect((await line.stella('pack', 'pull', 'oci://127.0.0.1:9/acme/hello:1.0.0', '--plain-http')).code).toBe(8);
    rmSync(line.folder, { recursive: true });
  });
});
