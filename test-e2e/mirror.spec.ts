import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MirrorList, MirrorResponse, Problem } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Caller } from './caller';
import { waitsForLock, whileLocked } from './database-lock';
import { addMirror, ask, ended, idle, jobOf, parityOf, sync } from './mirror-calls';
import { blobsIn, ImageLayout, type MirrorStateDocument } from './mirror-files';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

/** A worker that was killed keeps its job this long. */
const LEASE_MS = 1_500;
/** While somebody has it nothing that was copied can be recorded: a sync is held up in its middle. */
const HOLD_UP = 'lock table mirror.copies in exclusive mode';
const key = new SigningKey('release');
let registry: Registry;

jest.setTimeout(60_000);

beforeAll(async () => {
  registry = await Registry.start({ MIRROR_LEASE_MS: String(LEASE_MS) });
});
afterAll(() => registry.end());

async function aPublisher(): Promise<Caller> {
  const caller = await registry.caller();
  await caller.accept(key);
  return caller;
}

async function publish(caller: Caller, packId: string, version = '1.0.0', channel = 'edge', filler = ''): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId, version), filler ? [{ path: 'filler.txt', content: filler }] : []);
  const { status, body } = await caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], query: { channel } });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

const folderOf = (mirror: MirrorResponse): string => join(registry.facts.dataDir, 'mirrors', mirror.tenant, mirror.location);

async function shows(mirror: MirrorResponse, what: (state: MirrorStateDocument) => void): Promise<void> {
  await eventually(() => what(new ImageLayout(folderOf(mirror)).state));
}

describe('a mirror (T2)', () => {
  it('has after a sync the same digests as the registry, with signatures, for any reader of OCI layouts', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'hello', '1.0.0+build.7');
    const mirror = await addMirror(caller);
    const job = await sync(caller, mirror);
    expect(job).toMatchObject({
      state: 'succeeded',
      cause: 'request',
      attempts: 1,
      error: null,
      progress: { versions: 1, totalVersions: 1, skipped: 0 },
    });

    const { body: version } = await caller.version('hello', '1.0.0+build.7');
    const layout = new ImageLayout(folderOf(mirror));
    expect(layout.proveAll()).toBe(6);
    const tagged = layout.tagged(`${caller.tenant}/hello:1.0.0_build.7`);
    expect(tagged).toMatchObject({ digest: version.manifestDigest, artifactType: 'application/vnd.stellaops.pack.v1' });
    expect(layout.manifest(version.manifestDigest).layers.map(({ digest }) => digest)).toEqual([bundle.digest]);
    expect(layout.blob(bundle.digest).equals(bundle.bytes)).toBe(true);
    const [signature, ...others] = layout.referrers(version.manifestDigest);
    expect(others).toEqual([]);
    expect(signature?.manifest.layers.map(({ digest }) => digest)).toEqual(version.signatures.map(({ digest }) => digest));
    expect(layout.state).toMatchObject({
      versions: [{ packId: 'hello', version: '1.0.0+build.7', lifecycle: 'active', manifest: { digest: version.manifestDigest } }],
      channels: [{ packId: 'hello', channel: 'edge', version: '1.0.0+build.7' }],
      withdrawn: [],
    });

    const { body: after } = await caller.get<MirrorResponse>(`/api/mirrors/${mirror.id}`);
    expect(after).toMatchObject({ seq: 1, stateDigest: layout.index.annotations['io.stellaops.mirror.state'], pendingSince: null });
    const [told] = await eventually(async () => {
      const entries = await caller.audit({ type: 'mirror.sync.completed' });
      expect(entries).toHaveLength(1);
      return entries;
    });
    expect(told?.data).toMatchObject({ mirrorId: mirror.id, jobId: job.id, seq: 1, versions: 1, copiedBytes: job.progress.copiedBytes });
  });

  it('copies nothing twice', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    const first = await sync(caller, mirror);
    const again = await sync(caller, mirror);
    expect(again.progress).toMatchObject({ copiedBytes: 0, repaired: 0, versions: 1, bytes: first.progress.bytes });
    // The publish may have woken a sync of its own, before the first that was asked for.
    const copied = (await idle(caller, mirror, 2)).reduce((sum, { progress }) => sum + progress.copiedBytes, 0);
    expect(copied).toBeGreaterThan(0);
    expect(copied).toBeLessThanOrEqual(first.progress.bytes);
  });

  it('as a directory has the documented files', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'hello');
    const mirror = await addMirror(caller, { kind: 'directory' });
    await sync(caller, mirror);
    const at = join(folderOf(mirror), 'packs', caller.tenant, 'hello', '1.0.0');
    const { body: version } = await caller.version('hello', '1.0.0');
    expect(readFileSync(join(at, 'bundle.tar.gz')).equals(bundle.bytes)).toBe(true);
    expect(digestOf(readFileSync(join(at, 'manifest.json')))).toBe(version.manifestDigest);
    const [referrer = 'none'] = readdirSync(join(at, 'signatures'));
    const signature = version.signatures[0]?.digest ?? 'none';
    const config = digestOf(Buffer.from('{}'));
    expect(readdirSync(join(at, 'signatures', referrer)).toSorted()).toEqual(
      [...[signature, config].map(digest => digest.slice('sha256:'.length)), 'manifest.json'].toSorted(),
    );
    const state = JSON.parse(readFileSync(join(folderOf(mirror), 'state.json'), 'utf8')) as MirrorStateDocument;
    expect(state.versions.map(one => one.bundle.digest)).toEqual([bundle.digest]);
  });

  it('takes what its selection names and nothing else', async () => {
    const caller = await aPublisher();
    await publish(caller, 'acme.one', '1.0.0', 'beta');
    await publish(caller, 'acme.two', '1.0.0', 'edge');
    await publish(caller, 'other', '1.0.0', 'beta');
    const mirror = await addMirror(caller, { selection: { channels: ['beta'], packIds: ['acme.*'], types: ['task'] } });
    await sync(caller, mirror);
    expect(new ImageLayout(folderOf(mirror)).state.versions.map(({ packId }) => packId)).toEqual(['acme.one']);
  });
});

describe('changes', () => {
  it('reach a mirror by themselves: publish, promotion, deprecation', async () => {
    const caller = await aPublisher();
    const mirror = await addMirror(caller);
    await publish(caller, 'hello', '1.0.0');
    await publish(caller, 'hello', '1.1.0');
    await shows(mirror, ({ channels }) => expect(channels).toEqual([{ packId: 'hello', channel: 'edge', version: '1.1.0' }]));
    await caller.send('POST', '/api/packs/hello/promote', { json: { version: '1.0.0', channel: 'stable' } });
    await shows(mirror, ({ channels }) =>
      expect(channels.map(({ channel, version }) => `${channel} ${version}`)).toEqual(['edge 1.1.0', 'stable 1.0.0']),
    );
    await caller.send('DELETE', '/api/packs/hello/versions/1.0.0', { query: { reason: 'slow', replacement: 'hello@1.1.0' } });
    await shows(mirror, ({ versions }) =>
      expect(
        versions.map(({ version, lifecycle, deprecation }) => [version, lifecycle, deprecation?.reason, deprecation?.replacement]),
      ).toEqual([
        ['1.0.0', 'deprecated', 'slow', 'hello@1.1.0'],
        ['1.1.0', 'active', undefined, undefined],
      ]),
    );
    expect(new ImageLayout(folderOf(mirror)).proveAll()).toBeGreaterThan(0);
    const jobs = await idle(caller, mirror);
    expect(jobs.every(({ cause, state }) => cause === 'event' && state === 'succeeded')).toBe(true);
    await eventually(async () => expect(await registry.metric('mirror-worker', 'registry_pack_mirror_queue_depth')).toBe(0));
  });

  it('in what is attested reach it as well', async () => {
    const caller = await aPublisher();
    const mirror = await addMirror(caller);
    const bundle = await publish(caller, 'hello');
    const { mediaType, content } = key.dsse(bundle.bytes);
    const path = '/api/packs/hello/versions/1.0.0/attestations';
    expect((await caller.send('POST', path, { body: content, headers: { 'content-type': mediaType } })).status).toBe(201);
    const { body: version } = await caller.version('hello', '1.0.0');
    await eventually(() => {
      const layout = new ImageLayout(folderOf(mirror));
      const held = layout.referrers(version.manifestDigest).flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest));
      expect(held).toContain(digestOf(content));
      expect(held).toHaveLength(2);
    });
  });

  it('of packs that it does not select ask for no sync, nor do any while it is disabled', async () => {
    const caller = await aPublisher();
    const chosen = await addMirror(caller, { selection: { packIds: ['chosen'] } });
    const disabled = await addMirror(caller, { name: 'south', location: 'sites/south', enabled: false });
    await publish(caller, 'ignored');
    await publish(caller, 'chosen');
    await shows(chosen, ({ versions }) => expect(versions.map(({ packId }) => packId)).toEqual(['chosen']));
    expect(await idle(caller, chosen)).toHaveLength(1);
    expect(await idle(caller, disabled, 0)).toEqual([]);
    const refused = await caller.send<Problem>('POST', `/api/mirrors/${disabled.id}/sync`);
    expect([refused.status, refused.body.code]).toEqual([409, 'ERR_MIRROR_DISABLED']);
  });

  it('of trust take a version from the mirror that the registry itself no longer serves', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    await caller.trust(new SigningKey('release'));
    await shows(mirror, state => expect([state.versions, state.withdrawn]).toMatchObject([[], [{ packId: 'hello', version: '1.0.0' }]]));
    const [job] = await idle(caller, mirror, 2);
    expect(job).toMatchObject({ state: 'succeeded', skipped: [{ packId: 'hello', version: '1.0.0', code: 'ERR_PACK_WITHDRAWN' }] });
    await caller.trust(key);
    await shows(mirror, ({ versions }) => expect(versions).toHaveLength(1));
  });

  it('of trust take an attestation from the mirror whose signer lost it, and bring it back', async () => {
    const caller = await registry.caller();
    const builder = new SigningKey('builder');
    await caller.trust(key, builder);
    await caller.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] });
    const bundle = await publish(caller, 'hello');
    const provenance = builder.attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
    for (const { mediaType, content } of [key.dsse(bundle.bytes), provenance]) {
      const path = '/api/packs/hello/versions/1.0.0/attestations';
      expect((await caller.send('POST', path, { body: content, headers: { 'content-type': mediaType } })).status).toBe(201);
    }
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    const layout = new ImageLayout(folderOf(mirror));
    const [whole] = layout.state.versions;
    const attested = layout
      .referrers(whole?.manifest.digest ?? '')
      .filter(({ manifest }) => manifest.layers[0]?.digest === digestOf(provenance.content));
    expect([whole?.referrers.length, whole?.withdrawn, attested.length]).toEqual([3, undefined, 1]);
    const gone = attested
      .flatMap(({ descriptor, manifest }) => [descriptor, ...manifest.layers])
      .map(({ digest }) => layout.pathOf(digest));

    await caller.trust(key);
    await shows(mirror, ({ versions: [version] }) =>
      expect(version?.withdrawn).toEqual(attested.map(({ descriptor }) => descriptor.digest)),
    );
    const [job] = await idle(caller, mirror, 2);
    expect(job).toMatchObject({ state: 'succeeded', skipped: [] });
    expect([layout.state.versions[0]?.referrers.length, gone.filter(path => existsSync(path))]).toEqual([2, []]);
    expect(layout.proveAll()).toBeGreaterThan(0);
    const inStep = async (): Promise<void> => expect(await parityOf(caller, mirror)).toMatchObject({ inStep: true });
    await eventually(inStep);

    await caller.trust(key, builder);
    await shows(mirror, ({ versions }) => expect(versions).toEqual([whole]));
    expect(gone.every(path => existsSync(path))).toBe(true);
    await eventually(inStep);
  });
});

describe('a worker that is killed', () => {
  it('in the middle of a copy leaves nothing shown, and after its lease the job is done once', async () => {
    const caller = await aPublisher();
    const mirror = await addMirror(caller, { enabled: false });
    for (let n = 0; n < 40; n++) await publish(caller, `pack-${n}`, '1.0.0', 'edge', `${n}`.repeat(20_000));
    const { name, kind, location } = mirror;
    await caller.put(`/api/mirrors/${mirror.id}`, { name, kind, location, enabled: true });
    const worker = registry.part('mirror-worker');
    const layout = new ImageLayout(folderOf(mirror));
    const { job, before } = await whileLocked(registry, HOLD_UP, [], async () => {
      const asked = await ask(caller, mirror);
      await eventually(async () => expect((await blobsIn(folderOf(mirror))).length).toBeGreaterThan(8));
      await worker.kill('SIGKILL');
      expect(layout.exists).toBe(false);
      return { job: asked, before: await blobsIn(folderOf(mirror)) };
    });
    expect((await jobOf(caller, job)).state).toBe('running');
    await worker.start();
    const done = await ended(caller, job, 20_000);
    expect(done).toMatchObject({ state: 'succeeded', attempts: 2, progress: { versions: 40, skipped: 0 } });
    expect(layout.state.versions).toHaveLength(40);
    // Five for each version, and the one empty config.
    expect(layout.proveAll()).toBe(40 * 5 + 1);
    expect(before.every(blob => existsSync(join(folderOf(mirror), 'blobs', 'sha256', blob)))).toBe(true);
    expect(done.progress.copiedBytes).toBeLessThan(done.progress.bytes);
    await eventually(async () => expect(await caller.audit({ type: 'mirror.sync.completed' })).toHaveLength(1));
    expect(readdirSync(join(folderOf(mirror), '.work'))).toEqual([]);
  });

  it('just before it records the end has shown the whole, and the job is done once', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    await eventually(async () => expect(await registry.sql('select 1 from mirror.outbox where sent_at is null')).toEqual([]));
    const worker = registry.part('mirror-worker');
    const layout = new ImageLayout(folderOf(mirror));
    // The event of its end is the last that a sync writes.
    const job = await whileLocked(registry, 'lock table mirror.outbox in share mode', [], async () => {
      const asked = await ask(caller, mirror);
      await waitsForLock(registry, 'mirror-worker');
      expect([layout.state.versions.length, layout.proveAll()]).toEqual([1, 6]);
      await worker.kill();
      return asked;
    });
    expect(await jobOf(caller, job)).toMatchObject({ state: 'running', attempts: 1 });
    await worker.start();
    expect(await ended(caller, job)).toMatchObject({ state: 'succeeded', attempts: 2, progress: { copiedBytes: 0 } });
    await eventually(async () => expect(await caller.audit({ type: 'mirror.sync.completed' })).toHaveLength(1));
    expect((await caller.get<MirrorResponse>(`/api/mirrors/${mirror.id}`)).body).toMatchObject({ seq: 1, pendingSince: null });
  });
});

describe('bytes altered at the mirror', () => {
  it('are found and repaired by a sync that verifies', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    const layout = new ImageLayout(folderOf(mirror));
    const altered = Buffer.from(bundle.bytes);
    altered.writeUInt8(altered.readUInt8(20) ^ 1, 20);
    writeFileSync(layout.pathOf(bundle.digest), altered);
    expect(() => layout.proveAll()).toThrow('other bytes');
    const job = await sync(caller, mirror, { verify: true });
    expect(job).toMatchObject({ state: 'succeeded', verify: true, progress: { repaired: 1, copiedBytes: bundle.bytes.length } });
    expect(layout.proveAll()).toBeGreaterThan(0);
  });

  it('that are gone or cut short are copied again by any sync', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'hello');
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    const layout = new ImageLayout(folderOf(mirror));
    writeFileSync(layout.pathOf(bundle.digest), bundle.bytes.subarray(1));
    rmSync(layout.pathOf(layout.tagged(`${caller.tenant}/hello:1.0.0`)?.digest ?? ''));
    expect((await sync(caller, mirror)).progress.repaired).toBe(2);
    expect(layout.proveAll()).toBeGreaterThan(0);
  });
});

describe('the API', () => {
  it.each([
    ['a location above the root', { location: '../north' }, 400, 'ERR_MIRROR_TARGET_INVALID'],
    ['an absolute location', { location: '/srv' }, 400, 'ERR_MIRROR_TARGET_INVALID'],
    ['an unknown kind', { kind: 's3' }, 400, 'ERR_PACK_REQUEST_INVALID'],
    ['a selection nobody knows', { selection: { colour: ['red'] } }, 400, 'ERR_PACK_REQUEST_INVALID'],
    ['an interval below a minute', { intervalSeconds: 59 }, 400, 'ERR_PACK_REQUEST_INVALID'],
  ])('refuses %s', async (_, settings, status, code) => {
    const caller = await registry.caller();
    const answer = await caller.send<Problem>('POST', '/api/mirrors', {
      json: { name: 'north', kind: 'oci-layout', location: 'north', ...settings },
    });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await caller.get<MirrorList>('/api/mirrors')).body.mirrors).toEqual([]);
  });

  it('refuses a second mirror of a name, or in another one’s folder', async () => {
    const caller = await registry.caller();
    await addMirror(caller);
    for (const settings of [
      { location: 'elsewhere' },
      { name: 'south' },
      { name: 'south', location: 'sites/north/deep' },
      { name: 'south', location: 'sites' },
    ]) {
      const json = { name: 'north', kind: 'oci-layout', location: 'sites/north', ...settings };
      const { status, body } = await caller.send<Problem>('POST', '/api/mirrors', { json });
      expect([status, body.code]).toEqual([409, 'ERR_MIRROR_EXISTS']);
    }
  });

  it("shows a tenant's mirrors to nobody else, and changes them for administrators alone", async () => {
    const caller = await registry.caller();
    const mirror = await addMirror(caller);
    const foreign = await registry.caller();
    const reader = await registry.caller(caller.tenant, 'packs.read packs.write');
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['POST', '/sync'],
      ['GET', '/jobs'],
    ] as const) {
      const json = method === 'PUT' ? { name: 'north', kind: 'directory', location: 'stolen' } : undefined;
      const { status, body } = await foreign.send<Problem>(method, `/api/mirrors/${mirror.id}${path}`, { json });
      expect([path, status, body.code]).toEqual([path, 404, 'ERR_MIRROR_NOT_FOUND']);
      const mine = await reader.send<Problem>(method, `/api/mirrors/${mirror.id}${path}`, { json });
      expect([method, mine.status]).toEqual([method, method === 'GET' ? 200 : 403]);
    }
    expect((await foreign.get<MirrorList>('/api/mirrors')).body.mirrors).toEqual([]);
  });

  it('is open to the command line', async () => {
    const caller = await aPublisher();
    await publish(caller, 'hello');
    const env = { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' };
    const stella = async (...args: string[]) => {
      const { code, stdout, stderr } = await runStella(args, { env });
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    expect(await stella('mirror', 'add', '--name', 'north', '--location', 'north', '--pack', 'hel*')).toContain('oci-layout');
    expect(await stella('mirror', 'sync', 'north')).toContain('succeeded');
    expect(await stella('mirror', 'status', 'north')).toMatch(/north[^]*succeeded/);
    expect(new ImageLayout(join(registry.facts.dataDir, 'mirrors', caller.tenant, 'north')).proveAll()).toBeGreaterThan(0);
    await stella('mirror', 'remove', 'north');
    expect(await stella('mirror', 'list')).not.toContain('north');
  });
});
