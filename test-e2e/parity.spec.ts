import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  MIRROR_CONSUMER,
  type MirrorRequest,
  type MirrorResponse,
  type ParityCheckView,
  type ParityResponse,
  type ParityRow,
  type Problem,
} from '@packs/contracts';
import { eventually } from '@packs/testing';
import { Client } from 'pg';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Caller } from './caller';
import { idle, parityOf } from './mirror-calls';
import { ImageLayout } from './mirror-files';
import { unsettled } from './nats-admin';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

/** A worker that was killed keeps its comparison, or its job, this long. */
const LEASE_MS = 1_500;
const key = new SigningKey('release');
let registry: Registry;

jest.setTimeout(60_000);

beforeAll(async () => {
  registry = await Registry.start({ PARITY_LEASE_MS: String(LEASE_MS), MIRROR_LEASE_MS: String(LEASE_MS) });
});
afterAll(() => registry.end());

async function publish(caller: Caller, packId: string, version = '1.0.0'): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId, version));
  const { status, body } = await caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

/** A tenant with one pack and a mirror of it that is in step. */
async function inStep(settings: Partial<MirrorRequest> = {}): Promise<{ caller: Caller; mirror: MirrorResponse; bundle: Bundle }> {
  const caller = await registry.caller();
  await caller.accept(key);
  const bundle = await publish(caller, 'hello');
  const { status, body: mirror } = await caller.send<MirrorResponse>('POST', '/api/mirrors', {
    json: { name: 'north', kind: 'oci-layout', location: 'sites/north', ...settings },
  });
  expect(status).toBe(201);
  await sync(caller, mirror);
  // What the publish caused is over: no sync of its own comes in between.
  await eventually(async () => expect(await unsettled(registry, MIRROR_CONSUMER)).toBe(0));
  await idle(caller, mirror);
  await stands(caller, mirror, true);
  return { caller, mirror, bundle };
}

async function sync(caller: Caller, { id }: MirrorResponse, json?: object): Promise<void> {
  expect((await caller.send('POST', `/api/mirrors/${id}/sync`, { json })).status).toBe(202);
}

const folderOf = (mirror: MirrorResponse): string => join(registry.facts.dataDir, 'mirrors', mirror.tenant, mirror.location);

/** How the mirror stands once its parity is as expected. */
function stands(caller: Caller, mirror: MirrorResponse, expected: boolean) {
  return eventually(async () => {
    const parity = await parityOf(caller, mirror);
    expect(parity).toMatchObject({ inStep: expected });
    return parity;
  }, 15_000);
}

async function ask(caller: Caller, mirror: MirrorResponse, depth?: string): Promise<ParityCheckView> {
  const { status, body, headers } = await caller.send<ParityCheckView>('POST', '/api/parity/checks', {
    json: { mirrorId: mirror.id, depth },
  });
  expect([status, headers.get('location')]).toEqual([202, `/api/parity/checks/${body.id}`]);
  return body;
}

async function checkOf(caller: Caller, { id }: ParityCheckView): Promise<ParityCheckView> {
  const { status, body } = await caller.get<ParityCheckView>(`/api/parity/checks/${id}`);
  expect(status).toBe(200);
  return body;
}

function ended(caller: Caller, check: ParityCheckView): Promise<ParityCheckView> {
  return eventually(async () => {
    const now = await checkOf(caller, check);
    expect(['succeeded', 'failed']).toContain(now.state);
    return now;
  }, 15_000);
}

const check = async (caller: Caller, mirror: MirrorResponse, depth?: string) => ended(caller, await ask(caller, mirror, depth));

const differing = (rows: readonly ParityRow[]) =>
  rows.filter(row => row.state !== 'in-step').map(row => `${row.packId ?? row.path} ${row.state}`);

/** The audit entries of a mirror's drift and restoration, once there are so many. */
function told(caller: Caller, ...types: readonly string[]) {
  return eventually(async () => {
    const entries = (await caller.audit()).filter(entry => entry.type.startsWith('parity.'));
    expect(entries.map(entry => entry.type)).toEqual(types);
    return entries;
  });
}

function alter(mirror: MirrorResponse, digest: string): void {
  const path = new ImageLayout(folderOf(mirror)).pathOf(digest);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(path, bytes);
}

describe('parity of a mirror (T5)', () => {
  it('is in step after a sync, and out of step as soon as the registry changes, until the next', async () => {
    const { caller, mirror } = await inStep();
    expect(await parityOf(caller, mirror)).toMatchObject({
      inStep: true,
      counts: { 'in-step': 1, missing: 0 },
      pendingSince: null,
      error: null,
      rows: [{ packId: 'hello', version: '1.0.0', state: 'in-step', pending: false }],
    });
    await registry.part('mirror-worker').without(async () => {
      await publish(caller, 'later');
      expect((await caller.send('DELETE', '/api/packs/hello/versions/1.0.0')).status).toBe(200);
      await eventually(async () => {
        const { inStep: still, rows } = await parityOf(caller, mirror);
        expect([still, differing(rows)]).toEqual([false, ['hello stale-state', 'later missing']]);
      });
      expect((await parityOf(caller, mirror)).rows.every(row => row.pending)).toBe(true);
      expect(await check(caller, mirror)).toMatchObject({ state: 'succeeded', inStep: false, counts: { missing: 1, 'stale-state': 1 } });
      expect((await parityOf(caller, mirror)).rows.some(row => row.pending)).toBe(false);
    });
    expect(await stands(caller, mirror, true)).toMatchObject({ counts: { 'in-step': 2 } });
    const [drift, restored] = await told(caller, 'parity.drift.detected', 'parity.restored');
    expect(drift?.data).toMatchObject({ mirrorId: mirror.id, name: 'north', counts: { missing: 1, 'stale-state': 1 } });
    expect(restored?.data).toMatchObject({ mirrorId: mirror.id, counts: { 'in-step': 2, missing: 0 } });
  });

  it('is asked for at once by a check that goes by the index, or from the command line', async () => {
    const { caller, mirror } = await inStep();
    expect(await check(caller, mirror, 'index')).toMatchObject({ inStep: true, depth: 'index', progress: { hashedBytes: 0 } });
    const env = { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' };
    const cli = await runStella(['parity', 'check', 'north', '--output', 'json'], { env });
    expect([cli.code, JSON.parse(cli.stdout)]).toMatchObject([0, { inStep: true, depth: 'bytes' }]);
    alter(mirror, (await caller.version('hello', '1.0.0')).body.digest);
    expect((await runStella(['parity', 'check', 'north'], { env })).code).not.toBe(0);
    const shown = await runStella(['parity', 'show', '--mirror', 'north'], { env });
    expect(shown.stdout).toMatch(/different-digest/);
  });
});

describe.each(['oci-layout', 'directory'] as const)('behind our back, at a mirror of kind %s,', kind => {
  const bundlePath = (mirror: MirrorResponse, digest: string): string =>
    kind === 'oci-layout'
      ? new ImageLayout(folderOf(mirror)).pathOf(digest)
      : join(folderOf(mirror), 'packs', mirror.tenant, 'hello', '1.0.0', 'bundle.tar.gz');

  it('an altered byte is found, reported, and repaired by the next sync', async () => {
    const { caller, mirror, bundle } = await inStep({ kind });
    const path = bundlePath(mirror, bundle.digest);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    writeFileSync(path, bytes);
    expect(await check(caller, mirror)).toMatchObject({ inStep: false, counts: { 'different-digest': 1, 'in-step': 0 } });
    const { rows } = await parityOf(caller, mirror);
    expect(rows).toMatchObject([{ packId: 'hello', state: 'different-digest' }]);
    expect(path.endsWith(rows[0]?.path ?? '-')).toBe(true);
    const [drift] = await told(caller, 'parity.drift.detected');
    expect(drift?.data).toMatchObject({ differences: [{ packId: 'hello', version: '1.0.0', state: 'different-digest' }] });
    await eventually(async () => {
      expect((await caller.get<MirrorResponse>(`/api/mirrors/${mirror.id}`)).body).toMatchObject({ needsVerify: true });
    });
    await sync(caller, mirror);
    await stands(caller, mirror, true);
    expect(readFileSync(path).equals(bundle.bytes)).toBe(true);
    await told(caller, 'parity.drift.detected', 'parity.restored');
  });

  it('a file that somebody added is found', async () => {
    const { caller, mirror } = await inStep({ kind });
    const extra = kind === 'oci-layout' ? `blobs/sha256/${'0'.repeat(64)}` : 'packs/intruder/bundle.tar.gz';
    mkdirSync(dirname(join(folderOf(mirror), extra)), { recursive: true });
    writeFileSync(join(folderOf(mirror), extra), 'who put this here?');
    expect(await check(caller, mirror)).toMatchObject({ inStep: false, counts: { extra: 1, 'in-step': 1 } });
    expect(differing((await parityOf(caller, mirror)).rows)).toEqual([`${extra} extra`]);
  });
});

describe('a comparison whose worker is killed', () => {
  it('is taken over and done once, and shows no half result', async () => {
    const { caller, mirror, bundle } = await inStep();
    const before = await parityOf(caller, mirror);
    alter(mirror, bundle.digest);
    const blocker = new Client({ connectionString: registry.facts.databaseAdminUrl });
    await blocker.connect();
    try {
      // The comparison has seen every version when it comes to ask for this table.
      await blocker.query('begin; lock table mirror.copies in access exclusive mode');
      const asked = await ask(caller, mirror);
      await eventually(async () => expect(await checkOf(caller, asked)).toMatchObject({ state: 'running', progress: { versions: 1 } }));
      await registry.part('parity-worker').kill();
      expect(await checkOf(caller, asked)).toMatchObject({ state: 'running', inStep: null, counts: null });
      expect(await parityOf(caller, mirror)).toEqual(before);
      await blocker.query('rollback');
      await registry.part('parity-worker').start();
      expect(await ended(caller, asked)).toMatchObject({
        state: 'succeeded',
        attempts: 2,
        inStep: false,
        counts: { 'different-digest': 1, 'in-step': 0 },
      });
    } finally {
      await blocker.end();
    }
    expect((await parityOf(caller, mirror)).rows).toMatchObject([{ state: 'different-digest' }]);
    await told(caller, 'parity.drift.detected');
  });
});

describe('parity', () => {
  it('is nobody else’s, and not asked for by those who may only read', async () => {
    const { caller, mirror } = await inStep();
    const asked = await check(caller, mirror, 'index');
    const stranger = await registry.caller();
    const reader = await registry.caller(caller.tenant, 'packs.read');
    for (const { status, body } of [
      await stranger.get<Problem>('/api/parity', { mirrorId: mirror.id }),
      await stranger.get<Problem>(`/api/parity/checks/${asked.id}`),
      await stranger.send<Problem>('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } }),
    ]) {
      expect([status, body.code]).toEqual([404, expect.stringMatching(/^ERR_(?:MIRROR|PARITY)_NOT_FOUND$/)]);
    }
    expect((await stranger.get<ParityResponse>('/api/parity')).body).toEqual({ mirrors: [], rows: [], next: null });
    expect((await reader.get('/api/parity')).status).toBe(200);
    expect((await reader.send('POST', '/api/parity/checks', { json: { mirrorId: mirror.id } })).status).toBe(403);
    expect((await (await registry.caller(newTenant(), 'packs.write')).get('/api/parity')).status).toBe(403);
  });

  it('goes with its mirror', async () => {
    const { caller, mirror } = await inStep();
    expect((await caller.send('DELETE', `/api/mirrors/${mirror.id}`)).status).toBe(204);
    expect((await caller.get<ParityResponse>('/api/parity')).body).toEqual({ mirrors: [], rows: [], next: null });
    await eventually(async () => {
      expect(await registry.sql('select 1 from parity.parity_matrix where mirror_id = $1', [mirror.id])).toEqual([]);
    });
  });
});
