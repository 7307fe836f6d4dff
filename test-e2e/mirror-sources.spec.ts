import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirrorJobView, MirrorRequest, MirrorResponse, Problem, PublishAnswer } from '@packs/contracts';
import { MEDIA_TYPES } from '@packs/domain';
import { eventually, OCI_PEERS, OciPeer, TestOciRegistry } from '@packs/testing';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { addMirror, ask, ended, jobOf, sync } from './mirror-calls';
import { anImage, OCI_MANIFEST } from './oci-content';
import { digestOf } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';
import { Upstream } from './upstream';

const key = new SigningKey('release');
const ACCEPT = `${OCI_MANIFEST}, ${MEDIA_TYPES.ociIndex}`;

jest.setTimeout(90_000);

let folder: string;
let credentials: string;
/** Another one, with nothing in common with the first. */
let other: Registry;
let slow: TestOciRegistry;
let peers: Map<string, OciPeer>;
let registry: Registry;
let caller: Caller;

beforeAll(async () => {
  other = await Registry.shared();
  folder = mkdtempSync(join(tmpdir(), 'mirror-sources-'));
  credentials = join(folder, 'config.json');
  await writeFile(credentials, '{"auths":{}}', { mode: 0o600 });
  slow = await TestOciRegistry.start({ referrersApi: true });
  peers = new Map();
  for (const name of OCI_PEERS) if (OciPeer.isWanted(name)) peers.set(name, await OciPeer.start(name));
  const hosts = [...[...peers.values()].map(({ host }) => host), new URL(other.gatewayUrl).host, slow.host];
  registry = await Registry.start({
    MIRROR_SOURCES: hosts.map(host => `http://${host} private`).join(', '),
    MIRROR_REGISTRY_CREDENTIALS_FILE: credentials,
    MIRROR_LEASE_MS: '2000',
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await registry.end();
  for (const peer of peers.values()) await peer.end();
  await slow.stop();
});
beforeEach(async () => {
  caller = await registry.caller();
  await caller.accept(key);
});

function pulling(
  location: string,
  repositories: NonNullable<MirrorRequest['pull']>['repositories'],
  more: object = {},
): Promise<MirrorResponse> {
  const pull = { repositories, ...more } as NonNullable<MirrorRequest['pull']>;
  return addMirror(caller, { name: 'upstream', kind: 'registry', location, pull });
}

const here = (path: string): Promise<{ readonly status: number; readonly bytes: Buffer; readonly body: unknown }> =>
  caller.send('GET', `/v2/${caller.tenant}/${path}`, { headers: { accept: ACCEPT } });

async function referrersHere(repository: string, digest: string): Promise<string[]> {
  const { body } = await here(`${repository}/referrers/${digest}`);
  return (body as { manifests: { digest: string }[] }).manifests.map(one => one.digest).toSorted();
}

const skips = ({ skipped }: MirrorJobView) => skipped.map(({ packId, version, code }) => [packId, version, code]);

describe.each(OCI_PEERS)('a mirror that pulls from %s', name => {
  const story = OciPeer.isWanted(name) ? it : it.skip;
  const note = OciPeer.isWanted(name) ? '' : ' (skipped: it is not installed)';
  const hostOf = (): string => peers.get(name)?.host ?? '';

  story(`has packs judged here, keeps them byte for byte with all that refers to them, and lets no version move${note}`, async () => {
    const there = new Upstream(hostOf(), `${caller.tenant}/hello`);
    const first = await there.pack('1.0.0', { key });
    await there.pack('1.1.0', { key: new SigningKey('foreign') });
    const last = await there.pack('1.2.0+linux', { key });
    await there.pack('2.0.0', { key });
    const sbom = await there.attach(first.manifest, Buffer.from('what is in it'));
    const mirror = await pulling(`${hostOf()}/${caller.tenant}`, [{ repository: 'hello', range: '^1' }]);
    const job = await sync(caller, mirror);
    expect([job.state, job.progress.versions, job.progress.totalVersions, skips(job)]).toEqual([
      ...['succeeded', 2, 3],
      [['hello', '1.1.0', 'ERR_PACK_VERDICT_REJECTED']],
    ]);
    expect(job.skipped[0]?.reason).toContain('ERR_PACK_SIGNATURE');
    for (const { bundle, manifest } of [first, last]) {
      const version = bundle.manifest.metadata.version;
      expect((await caller.version('hello', version)).body).toMatchObject({ digest: bundle.digest, manifestDigest: manifest.digest });
      expect((await here(`hello/manifests/${version.replace('+', '_')}`)).bytes.equals(manifest.bytes)).toBe(true);
    }
    expect(await referrersHere('hello', first.manifest.digest)).toEqual([first.signature, sbom].toSorted());
    for (const version of ['1.1.0', '2.0.0']) expect((await caller.version('hello', version)).status).toBe(404);

    const moved = await there.pack('1.0.0', { key, note: 'other bytes' });
    const again = await sync(caller, mirror);
    expect([again.progress.versions, skips(again).toSorted()]).toEqual([
      1,
      [
        ['hello', '1.0.0', 'ERR_PACK_VERSION_EXISTS'],
        ['hello', '1.1.0', 'ERR_PACK_VERDICT_REJECTED'],
      ],
    ]);
    expect(again.skipped.find(({ version }) => version === '1.0.0')?.reason).toContain(moved.manifest.digest);
    expect((await caller.version('hello', '1.0.0')).body.manifestDigest).toBe(first.manifest.digest);
    // The manifests that were judged anew, and none of the blobs.
    expect(again.progress.copiedBytes).toBeLessThan(last.bundle.bytes.length + 4_000);
  });

  story(`copies images and indexes with what refers to them, moves their tags, and puts none into a pack's repository${note}`, async () => {
    const there = new Upstream(hostOf(), `${caller.tenant}/app`);
    const images = [anImage('{"os":"a"}', [Buffer.from('layer a')]), anImage('{"os":"b"}', [Buffer.from('layer b')])];
    const index = await there.index(images, 'latest');
    const [image] = images;
    if (!image) throw new Error('there are two');
    const sbom = await there.attach(image, Buffer.from('what is in the image'));
    await there.push(image, '1.0.0');
    const cosigned = await there.cosign(image.digest, key);
    await new Upstream(hostOf(), `${caller.tenant}/hello`).pack('1.0.0', { key });
    const rules = [{ repository: 'app', as: 'ours/app' }, { repository: 'hello' }];
    const mirror = await pulling(`${hostOf()}/${caller.tenant}`, rules);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded', skipped: [], progress: { versions: 3 } });
    expect((await here('ours/app/manifests/latest')).bytes.equals(index.bytes)).toBe(true);
    for (const { bytes, digest, blobs } of images) {
      expect((await here(`ours/app/manifests/${digest}`)).bytes.equals(bytes)).toBe(true);
      for (const blob of blobs) expect((await here(`ours/app/blobs/${blob.digest}`)).bytes.equals(blob.bytes)).toBe(true);
    }
    expect(await referrersHere('ours/app', image.digest)).toEqual([sbom]);
    expect((await here(`ours/app/manifests/${cosigned.tag}`)).status).toBe(200);

    const next = anImage('{"os":"c"}', [Buffer.from('layer c')]);
    await there.push(next, 'latest');
    await there.push(next, '1.0.0');
    const { name: mirrorName, kind, location } = mirror;
    const repositories = [...rules.slice(1), { repository: 'app', as: 'ours/app' }];
    const settings = { name: mirrorName, kind, location, pull: { repositories } };
    expect((await caller.put(`/api/mirrors/${mirror.id}`, settings)).status).toBe(200);
    expect(skips(await sync(caller, mirror))).toEqual([['ours/app', '1.0.0', 'ERR_PACK_VERSION_EXISTS']]);
    expect((await here('ours/app/manifests/latest')).bytes.equals(next.bytes)).toBe(true);
    expect((await here('ours/app/manifests/1.0.0')).bytes.equals(image.bytes)).toBe(true);

    const wrong = { ...settings, pull: { repositories: [{ repository: 'app', as: 'hello', tags: ['latest'] }] } };
    expect((await caller.put(`/api/mirrors/${mirror.id}`, wrong)).status).toBe(200);
    expect(skips(await sync(caller, mirror))).toEqual([['hello', 'latest', 'ERR_OCI_REPOSITORY_KIND']]);
  });
});

describe('a mirror that pulls from another registry of this software', () => {
  const host = (): string => new URL(other.gatewayUrl).host;

  it('has the same digests, attestations and signatures, judged by the keys here', async () => {
    const there = await other.caller();
    await there.accept(key);
    const upstream = new Upstream(host(), `${there.tenant}/hello`, there.token ?? '');
    await writeFile(credentials, JSON.stringify({ auths: { [host()]: { auth: btoa(`robot:${there.token ?? ''}`) } } }), { mode: 0o600 });
    expect((await there.policy({ keyRef: key.name }, { unsigned: 'pending' })).status).toBe(200);
    const { bundle, manifest, signature } = await upstream.pack('1.0.0', { key });
    const attestation = key.attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
    const attached = await upstream.attach(manifest, attestation.content, attestation.mediaType);
    const mirror = await pulling(host(), [{ repository: `${there.tenant}/hello`, as: 'hello', channels: ['edge'] }]);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded', skipped: [], progress: { versions: 1 } });
    expect((await caller.version('hello', '1.0.0')).body).toMatchObject({ digest: bundle.digest, manifestDigest: manifest.digest });
    expect(await referrersHere('hello', manifest.digest)).toEqual([signature, attached].toSorted());
    const { attestations } = (await caller.get<{ attestations: object[] }>('/api/packs/hello/versions/1.0.0/attestations')).body;
    expect(attestations).toHaveLength(1);
    expect((await caller.audit()).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['mirror.configured', 'pack.version.published', 'pack.attestation.added', 'mirror.sync.completed']),
    );
  });
});

describe('a mirror that pulls', () => {
  const there = (): Upstream => new Upstream(slow.host, `${caller.tenant}/app`);

  it('goes on in another worker where a killed one left off, without fetching again what had come', async () => {
    const image = anImage('{"os":"slow"}', [Buffer.from(`first of ${caller.tenant}`)]);
    const second = anImage('{"os":"second"}', [Buffer.from(`second of ${caller.tenant}`)]);
    await there().push(image, 'a');
    await there().push(second, 'b');
    const stuck = second.blobs[1]?.digest ?? '';
    let reached: () => void = () => undefined;
    const atIt = new Promise<void>(resolve => (reached = resolve));
    slow.intervene(new RegExp(`^GET .*/blobs/${stuck}`), () => reached());
    const mirror = await pulling(slow.host, [{ repository: `${caller.tenant}/app`, as: 'app' }]);
    const job = await ask(caller, mirror);
    await atIt;
    expect(await jobOf(caller, job)).toMatchObject({ state: 'running', progress: { versions: 1, totalVersions: 2 } });
    await registry.part('mirror-worker').kill();
    const before = slow.requests.length;
    await registry.part('mirror-worker').start();
    expect(await ended(caller, job, 30_000)).toMatchObject({ state: 'succeeded', attempts: 2, progress: { versions: 2 } });
    const blobs = slow.requests.slice(before).filter(line => /^GET .*\/blobs\//.test(line));
    expect(blobs.filter(line => image.blobs.some(({ digest }) => line.endsWith(digest)))).toEqual([]);
    expect(blobs.filter(line => line.endsWith(stuck))).toHaveLength(1);
    expect((await here('app/manifests/b')).bytes.equals(second.bytes)).toBe(true);
  });

  it('tells of an attestation that nobody here trusts, and takes the version without it', async () => {
    const upstream = new Upstream(slow.host, `${caller.tenant}/hello`);
    const { bundle, manifest, signature } = await upstream.pack('1.0.0', { key });
    const attestation = new SigningKey('builder').attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
    const attached = await upstream.attach(manifest, attestation.content, attestation.mediaType);
    const mirror = await pulling(slow.host, [{ repository: `${caller.tenant}/hello`, as: 'hello' }]);
    const job = await sync(caller, mirror);
    expect([job.state, job.progress.versions, skips(job)]).toEqual(['succeeded', 1, [['hello', attached, 'ERR_PACK_ATTESTATION_INVALID']]]);
    expect(await referrersHere('hello', manifest.digest)).toEqual([signature]);
  });

  it('runs by the clock, is no part of parity, and is refused while its tenant is sealed', async () => {
    await there().push(anImage('{"os":"x"}', [Buffer.from(caller.tenant)]), 'a');
    const mirror = await pulling(slow.host, [{ repository: `${caller.tenant}/app`, as: 'app' }]);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
    const check = await caller.send<Problem>('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } });
    expect([check.status, check.body.code]).toEqual([400, 'ERR_PACK_REQUEST_INVALID']);
    expect((await caller.get('/api/parity', { mirrorId: mirror.id })).status).toBe(404);
    expect((await caller.put('/api/sealed', { sealed: true, reason: 'the site is on its own' })).status).toBe(200);
    const asked = await caller.send<Problem>('POST', `/api/mirrors/${mirror.id}/sync`);
    expect([asked.status, asked.body.code]).toEqual([423, 'ERR_PACK_SEALED']);
    const requests = slow.requests.length;
    await registry.sql(`update mirror.mirrors set interval_seconds = 60, next_run_at = now() where id = $1`, [mirror.id]);
    await eventually(async () => {
      const { jobs } = (await caller.get<{ jobs: MirrorJobView[] }>(`/api/mirrors/${mirror.id}/jobs`)).body;
      expect(jobs[0]).toMatchObject({ cause: 'schedule', state: 'failed', error: { code: 'ERR_PACK_SEALED' } });
    }, 20_000);
    expect(slow.requests.length).toBe(requests);
  });

  it.each<[string, object, string, string]>([
    ['from where nobody may connect to', { location: 'registry.example' }, 'ERR_MIRROR_TARGET_INVALID', 'location'],
    ['from the machine’s own services', { location: '169.254.169.254/acme' }, 'ERR_MIRROR_TARGET_INVALID', 'location'],
    ['from a folder', { kind: 'directory' }, 'ERR_PACK_REQUEST_INVALID', 'kind'],
    ['by a selection', { selection: { packIds: ['hello'] } }, 'ERR_PACK_REQUEST_INVALID', 'selection'],
    [
      'by no range',
      { pull: { repositories: [{ repository: 'app', range: 'new' }] } },
      'ERR_PACK_REQUEST_INVALID',
      'pull.repositories[0].range',
    ],
    [
      'two repositories into one',
      { pull: { repositories: [{ repository: 'a', as: 'app' }, { repository: 'app' }] } },
      ...(['ERR_PACK_REQUEST_INVALID', 'pull.repositories[1].as'] as const),
    ],
    ['nothing', { pull: { repositories: [] } }, 'ERR_PACK_REQUEST_INVALID', 'pull.repositories'],
  ])('is not made to pull %s', async (_, changes, code, field) => {
    const json = { name: 'wrong', kind: 'registry', location: slow.host, pull: { repositories: [{ repository: 'app' }] }, ...changes };
    const { status, body } = await caller.send<Problem>('POST', '/api/mirrors', { json });
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, code, field]);
  });

  it('is made, synced and shown by stella', async () => {
    await there().push(anImage('{"os":"x"}', [Buffer.from(`cli of ${caller.tenant}`)]), '1.0.0');
    const line = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' });
    const add = [
      'mirror',
      'add',
      '--name',
      'up',
      '--location',
      slow.host,
      '--pull',
      `${caller.tenant}/app=app`,
      '--range',
      '^1',
      '--newest',
      '2',
    ];
    expect(await line.json<MirrorResponse>(...add)).toMatchObject({
      kind: 'registry',
      pull: { repositories: [{ repository: `${caller.tenant}/app`, as: 'app', range: '^1', newest: 2 }], maxVersions: 1_000 },
    });
    expect(await line.json<MirrorJobView>('mirror', 'sync', 'up')).toMatchObject({ state: 'succeeded', progress: { versions: 1 } });
    expect((await line.stella('mirror', 'list')).stdout).toMatch(/up\s+.*pull/);
    rmSync(line.folder, { recursive: true });
  });
});

describe('a publish by reference', () => {
  const publishFrom = (reference: string) =>
    caller.send<PublishAnswer & Problem>('POST', '/api/packs/hello/versions', { json: { reference } });

  it.each(OCI_PEERS.filter(name => OciPeer.isWanted(name)))('to %s carries what refers to the pack, as it is there', async name => {
    const host = peers.get(name)?.host ?? '';
    const there = new Upstream(host, `${caller.tenant}/hello`);
    const { bundle, manifest, signature } = await there.pack('1.0.0', { key });
    const cosigned = await there.cosign(manifest.digest, key);
    const sbom = await there.attach(manifest, Buffer.from('what is in it'));
    const attestation = key.attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
    const attested = await there.attach(manifest, attestation.content, attestation.mediaType);
    const reference = `${host}/${caller.tenant}/hello:1.0.0`;
    const { status, body } = await publishFrom(reference);
    expect([status, body.manifestDigest, body.notCarried]).toEqual([201, manifest.digest, undefined]);
    const listed = await referrersHere('hello', manifest.digest);
    // And one that was made here of what lies under cosign's tag.
    expect(listed).toEqual(expect.arrayContaining([signature, sbom, attested]));
    expect(listed).toHaveLength(4);
    const tagged = await here(`hello/manifests/${cosigned.tag}`);
    expect([tagged.status, digestOf(tagged.bytes)]).toEqual([200, cosigned.digest]);
    for (const digest of listed) {
      const { config, layers } = (await here(`hello/manifests/${digest}`)).body as {
        config: { digest: string };
        layers: { digest: string }[];
      };
      const carried = digest === signature || digest === sbom || digest === attested;
      for (const blob of carried ? [config, ...layers] : layers) expect((await here(`hello/blobs/${blob.digest}`)).status).toBe(200);
    }
    expect((await caller.get<{ attestations: object[] }>('/api/packs/hello/versions/1.0.0/attestations')).body.attestations).toHaveLength(
      1,
    );
    expect((await publishFrom(reference)).status).toBe(200);
    expect(await referrersHere('hello', manifest.digest)).toEqual(listed);
  });

  it('tells what did not come, and stands', async () => {
    const there = new Upstream(slow.host, `${caller.tenant}/hello`);
    const { bundle, manifest, signature } = await there.pack('1.0.0', { key });
    const attestation = new SigningKey('builder').attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
    const attached = await there.attach(manifest, attestation.content, attestation.mediaType);
    const reference = `${slow.host}/${caller.tenant}/hello:1.0.0`;
    const first = await publishFrom(reference);
    expect([first.status, first.body.notCarried]).toMatchObject([201, [{ what: attached, code: 'ERR_PACK_ATTESTATION_INVALID' }]]);
    expect(await referrersHere('hello', manifest.digest)).toEqual([signature]);
    // What is carried is asked for after the publish: an upstream that ends in between takes nothing back.
    slow.intervene(new RegExp(`^GET .*/referrers/`), () => true, 1);
    slow.intervene(new RegExp(`^GET .*/referrers/`), (_, response) => void response.writeHead(403).end(), 1);
    const again = await publishFrom(reference);
    expect([again.status, again.body.notCarried]).toMatchObject([200, [{ what: '*', code: 'ERR_REGISTRY_DENIED' }]]);
  });
});
