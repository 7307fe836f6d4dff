import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, BUNDLE_TYPE, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

jest.setTimeout(120_000);

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const PACK = 'application/vnd.stellaops.pack.v1';
const PACK_CONFIG = 'application/vnd.stellaops.pack.config.v1+json';
const RAW_SIGNATURE = 'application/vnd.stellaops.pack.signature.v1';
const EMPTY = 'application/vnd.oci.empty.v1+json';

let registry: Registry;
let owner: Caller;
const release = new SigningKey('release');

beforeAll(async () => {
  registry = await Registry.shared();
});
beforeEach(async () => {
  owner = await registry.caller();
  await owner.trust(release);
  await owner.policy({ keyRef: 'release' }, { unsigned: 'pending' });
});

/** RFC 8785 of what has no numbers but integers. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

async function upload(repository: string, mediaType: string, bytes: Buffer) {
  const digest = digestOf(bytes);
  const { status } = await owner.send('POST', `${repository}/blobs/uploads/`, { query: { digest }, body: bytes });
  expect(status).toBe(201);
  return { mediaType, digest, size: bytes.length };
}

function put(repository: string, reference: string, body: object): Promise<Answer> {
  return owner.send('PUT', `${repository}/manifests/${reference}`, { headers: { 'content-type': MANIFEST }, body: JSON.stringify(body) });
}

interface Pushed {
  readonly repository: string;
  readonly bundle: Bundle;
  readonly bytes: Buffer;
  readonly digest: string;
  readonly answer: Answer;
}

/** As oras pushes a pack, with an annotation of its own. */
async function pushPack(name: string): Promise<Pushed> {
  const bundle = aBundle(aManifest(name));
  const repository = `/v2/${owner.tenant}/${name}`;
  const config = await upload(repository, PACK_CONFIG, Buffer.from(canonical(bundle.manifest)));
  const layers = [await upload(repository, BUNDLE_TYPE, bundle.bytes)];
  const annotations = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' };
  const body = { schemaVersion: 2, mediaType: MANIFEST, artifactType: PACK, config, layers, annotations };
  const bytes = Buffer.from(JSON.stringify(body));
  return { repository, bundle, bytes, digest: digestOf(bytes), answer: await put(repository, bundle.version, body) };
}

async function sign({ repository, bytes, digest }: Pushed): Promise<Answer> {
  const config = await upload(repository, EMPTY, Buffer.from('{}'));
  const layers = [await upload(repository, RAW_SIGNATURE, release.raw(bytes).content)];
  const subject = { mediaType: MANIFEST, digest, size: bytes.length };
  const body = { schemaVersion: 2, mediaType: MANIFEST, artifactType: RAW_SIGNATURE, config, layers, subject };
  return put(repository, digestOf(Buffer.from(JSON.stringify(body))), body);
}

async function expectPublished({ repository, bundle, digest }: Pushed): Promise<void> {
  const shown = await owner.version(bundle.packId, bundle.version);
  expect([shown.status, shown.body.manifestDigest, shown.body.digest]).toEqual([200, digest, bundle.digest]);
  expect((await owner.bundle(bundle.packId, bundle.version)).bytes.equals(bundle.bytes)).toBe(true);
  expect((await owner.get(`${repository}/manifests/${bundle.version}`)).headers.get('docker-content-digest')).toBe(digest);
}

describe('a pack pushed by OCI', () => {
  it('waits for its signature, seen by nobody else, and is then one version behind both doors', async () => {
    const pushed = await pushPack('by-oci');
    const { answer, repository, bundle, digest } = pushed;
    expect([answer.status, answer.headers.get('stella-pack-state'), answer.headers.get('docker-content-digest')]).toEqual([
      201,
      'pending',
      digest,
    ]);
    expect((await owner.version(bundle.packId, bundle.version)).status).toBe(404);
    expect((await owner.get(`${repository}/manifests/${digest}`)).status).toBe(200);
    const stranger = await registry.caller();
    expect((await stranger.get(`${repository}/manifests/${digest}`)).status).toBe(404);

    const signed = await sign(pushed);
    expect([signed.status, signed.headers.get('oci-subject'), signed.headers.get('stella-pack-state')]).toEqual([201, digest, 'published']);
    await expectPublished(pushed);
  });

  it('keeps its number for itself, and gives it back when it is deleted', async () => {
    const pushed = await pushPack('claimed');
    const rest = await owner.publish(aBundle(aManifest('claimed', '1.0.0', { metadata: { name: 'Other' } })));
    expect([rest.status, rest.body.code]).toEqual([409, 'ERR_PACK_VERSION_EXISTS']);
    expect((await owner.send('DELETE', `${pushed.repository}/manifests/${pushed.digest}`)).status).toBe(202);
    expect((await owner.get(`${pushed.repository}/manifests/${pushed.digest}`)).status).toBe(404);
    expect((await pushPack('claimed')).answer.headers.get('stella-pack-state')).toBe('pending');
  });

  it('stays, deprecated, when it is deleted after its publish', async () => {
    const pushed = await pushPack('deleted');
    await sign(pushed);
    expect((await owner.send('DELETE', `${pushed.repository}/manifests/${pushed.digest}`)).status).toBe(202);
    expect((await owner.version('deleted', '1.0.0')).body).toMatchObject({ deprecated: true });
    const refused = await owner.send('DELETE', `${pushed.repository}/manifests/1.0.0`);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([403, expect.stringContaining('"DENIED"')]);
  });

  it('is the same pack that was published by REST without a signature', async () => {
    const bundle = aBundle(aManifest('by-rest'));
    const published = await owner.publish(bundle);
    expect([published.status, published.body.state, published.headers.get('location')]).toEqual([
      202,
      'pending',
      '/api/packs/by-rest/versions/1.0.0',
    ]);
    const repository = `/v2/${owner.tenant}/by-rest`;
    const { bytes } = await owner.get(`${repository}/manifests/${published.body.manifestDigest}`);
    const pushed = { repository, bundle, bytes, digest: published.body.manifestDigest, answer: published as never };
    expect((await sign(pushed)).headers.get('stella-pack-state')).toBe('published');
    await expectPublished(pushed);
  });
});

const cosign = peer('cosign');
(cosign.isWanted ? describe : describe.skip)(`cosign${cosign.note}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'packs-cosign-'));
    const offline = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', rekorTlogConfig: {}, tsaConfig: {} };
    writeFileSync(join(folder, 'offline.json'), JSON.stringify(offline));
    run('generate-key-pair');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(...args: string[]): void {
    const env = { PATH: process.env['PATH'], HOME: folder, TUF_ROOT: join(folder, 'tuf'), COSIGN_PASSWORD: '', COSIGN_YES: 'true' };
    const { status, stderr } = spawnSync(cosign.path, args, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) throw new Error(`cosign ${args[0]} ended with ${status}: ${stderr}`);
  }

  it.each([
    ['as a referrer', ['--signing-config', 'offline.json']],
    ['under a tag', ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false']],
  ])('publishes what waits by a signature that it pushes %s', async (how, options) => {
    const key = { name: 'release', publicKey: readFileSync(join(folder, 'cosign.pub'), 'utf8'), scheme: 'ecdsa-p256-sha256' };
    expect((await owner.put('/api/trust', { keys: [key] })).status).toBe(200);
    const pushed = await pushPack(how === 'under a tag' ? 'cosign2' : 'cosign3');
    const image = `${new URL(registry.gatewayUrl).host}/${owner.tenant}/${pushed.bundle.packId}@${pushed.digest}`;
    const access = ['--allow-http-registry', '--registry-token', owner.token ?? ''];
    run('sign', '--key', 'cosign.key', ...options, ...access, image);
    await expectPublished(pushed);
    run('attest', '--key', 'cosign.key', ...options, '--type', 'slsaprovenance1', '--predicate', 'offline.json', ...access, image);
    const { body } = await owner.get<{ attestations: unknown[] }>(`/api/packs/${pushed.bundle.packId}/versions/1.0.0/attestations`);
    expect(body.attestations).toHaveLength(1);
    const verify = how === 'under a tag' ? ['--new-bundle-format=false', '--insecure-ignore-tlog'] : ['--insecure-ignore-tlog'];
    run('verify', '--key', 'cosign.pub', ...verify, ...access, image);
  });
});
