import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem, ScrubView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { CommandLine, type CommandResult } from './command-line';
import { addMirror, sync } from './mirror-calls';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const LEASE_MS = 1_000;
const MIB = 1024 * 1024;
/** The tenant whose administrators may scrub. */
const OPERATORS = 'platform';
const key = new SigningKey('release');
let registry: Registry;
let operator: CommandLine;

jest.setTimeout(90_000);

beforeAll(async () => {
  const pace = { PUBLISHER_SCRUB_LEASE_MS: String(LEASE_MS), PUBLISHER_SCRUB_MIB_PER_SECOND: '4' };
  registry = await Registry.start({ ...pace, MIRROR_LEASE_MS: String(LEASE_MS) });
  operator = await commandLineOf(OPERATORS);
});
afterAll(async () => {
  rmSync(operator.folder, { recursive: true });
  await registry.end();
});

async function commandLineOf(tenant: string): Promise<CommandLine> {
  const { token } = await registry.caller(tenant, 'packs.admin');
  return new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: token ?? '' });
}

interface Stored {
  readonly digest: string;
  readonly path: string;
}

/** Where the registry keeps a blob's bytes. */
async function stored(digest: string): Promise<Stored> {
  const [row] = await registry.sql<{ key: string }>(
    `select regexp_replace(object_key, '^quarantined/', '') as key from content.blobs where digest = $1`,
    [digest],
  );
  const name = row?.key ?? '';
  return { digest, path: join(registry.facts.dataDir, 'blobs', 'objects', name.slice(-1), name) };
}

function flip({ path }: Stored, at = 0): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

function swap(a: Stored, b: Stored): void {
  renameSync(a.path, `${a.path}.aside`);
  renameSync(b.path, a.path);
  renameSync(`${a.path}.aside`, b.path);
}

async function inQuarantine(): Promise<string[]> {
  const rows = await registry.sql<{ digest: string }>('select digest from content.blobs where quarantined_at is not null order by digest');
  return rows.map(({ digest }) => digest);
}

interface Published {
  readonly caller: Caller;
  readonly bundle: Bundle;
  readonly manifestDigest: string;
}

async function publish(packId: string, caller?: Caller, filler = ''): Promise<Published> {
  const who = caller ?? (await registry.caller());
  if (!caller) await who.accept(key);
  const bundle = aBundle(aManifest(packId), [{ path: 'filler.txt', content: `${packId} ${who.tenant} ${filler}` }]);
  const { status, body } = await who.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return { caller: who, bundle, manifestDigest: String(body.manifestDigest) };
}

/** A blob of a generic repository. */
async function push(caller: Caller, content: Buffer): Promise<{ digest: string; status: number }> {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const { status } = await caller.send('POST', `/v2/${caller.tenant}/app/blobs/uploads/`, {
    query: { digest },
    body: content,
    headers: { 'content-type': 'application/octet-stream' },
  });
  return { digest, status };
}

const oci = (caller: Caller, packId: string, what: string): string => `/v2/${caller.tenant}/${packId}/${what}`;

/** The answer, or that the connection was cut: what a client must not take for a success. */
async function attempt(caller: Caller, path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer | 'cut'> {
  return caller.send(method, path, { headers }).catch(() => 'cut' as const);
}

/** However it is asked for, from now on the answer is the refusal, before any byte. */
async function refused(caller: Caller, path: string): Promise<void> {
  for (const [method, headers] of [
    ['GET', {}],
    ['GET', { range: 'bytes=0-0' }],
    ['GET', { 'if-none-match': '*' }],
    ['HEAD', {}],
  ] as const) {
    const answer = await attempt(caller, path, method, headers);
    if (answer === 'cut') throw new Error(`${method} ${path} was cut`);
    expect([method, path, answer.status]).toEqual([method, path, 500]);
    if (method === 'GET') expect(answer.bytes.toString()).toContain('ERR_PACK_CORRUPT');
  }
}

async function served(caller: Caller, path: string, bytes?: Buffer): Promise<void> {
  const answer = await caller.get(path);
  expect([path, answer.status]).toEqual([path, 200]);
  if (bytes) expect(answer.bytes.equals(bytes)).toBe(true);
}

const bundlePath = (packId: string): string => `/api/packs/${packId}/versions/1.0.0/bundle`;

async function told(caller: Caller, type: string): Promise<readonly object[]> {
  return (await caller.audit({ type })).map(({ packId, version, data }) => ({ packId, version, digest: data['digest'] }));
}

async function scrub(who: CommandLine, ...args: readonly string[]): Promise<{ run: CommandResult; view: ScrubView }> {
  const run = await who.registry('scrub', ...args, '--output', 'json');
  return { run, view: (run.stdout ? JSON.parse(run.stdout) : {}) as ScrubView };
}

describe('bytes that rot', () => {
  it('are never served, put in quarantine, told of, and served again once the same bytes are published anew', async () => {
    const { caller, bundle, manifestDigest } = await publish('flipped');
    const paths = [bundlePath('flipped'), oci(caller, 'flipped', `blobs/${bundle.digest}`)];
    for (const path of paths) await served(caller, path, bundle.bytes);
    flip(await stored(bundle.digest), 5);

    const first = await attempt(caller, bundlePath('flipped'));
    expect(first === 'cut' || first.status === 500).toBe(true);
    await eventually(async () => expect(await inQuarantine()).toContain(bundle.digest));
    for (const path of paths) await refused(caller, path);
    await served(caller, oci(caller, 'flipped', 'manifests/1.0.0'));
    const about = { packId: 'flipped', version: '1.0.0', digest: bundle.digest };
    await eventually(async () => expect(await told(caller, 'registry.blob.quarantined')).toEqual([about]));
    expect(await registry.metric('publisher', 'registry_blob_quarantined_total')).toBeGreaterThan(0);
    expect(await registry.metric('api-gateway', 'registry_blob_corrupt_reads_total')).toBeGreaterThan(0);
    const damaged = (await stored(bundle.digest)).path;

    const again = await caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
    expect([again.status, again.body.manifestDigest]).toEqual([200, manifestDigest]);
    for (const path of paths) await served(caller, path, bundle.bytes);
    await eventually(async () => expect(await told(caller, 'registry.blob.repaired')).toEqual([about]));
    await eventually(() => expect(existsSync(damaged)).toBe(false));
    expect(await registry.metric('publisher', 'registry_blob_repaired_total')).toBeGreaterThan(0);
  });

  it('are the same to a reader whether truncated, gone or exchanged, and stay refused where nothing has them', async () => {
    const [short, gone, a, b] = await Promise.all(['short', 'gone', 'swapped-a', 'swapped-b'].map(packId => publish(packId)));
    if (!short || !gone || !a || !b) throw new Error('not published');
    truncateSync((await stored(short.bundle.digest)).path, 10);
    rmSync((await stored(gone.manifestDigest)).path);
    swap(await stored(a.bundle.digest), await stored(b.bundle.digest));
    const reads = [
      [short.caller, bundlePath('short')],
      [gone.caller, oci(gone.caller, 'gone', 'manifests/1.0.0')],
      [a.caller, bundlePath('swapped-a')],
      [b.caller, oci(b.caller, 'swapped-b', `blobs/${b.bundle.digest}`)],
    ] as const;
    for (const [caller, path] of reads) {
      const answer = await attempt(caller, path);
      expect([path, answer === 'cut' || answer.status >= 500]).toEqual([path, true]);
    }
    await eventually(async () =>
      expect(await inQuarantine()).toEqual(
        expect.arrayContaining([short.bundle.digest, gone.manifestDigest, a.bundle.digest, b.bundle.digest]),
      ),
    );
    for (const [caller, path] of reads) await refused(caller, path);
    expect(await told(a.caller, 'registry.blob.repaired')).toEqual([]);
    // What its owner publishes again is whole again; what belongs to it was made by the registry.
    const again = await gone.caller.publish(gone.bundle, { signatures: [key.sigstore(gone.bundle.bytes)] });
    expect([again.status, again.body.manifestDigest]).toEqual([200, gone.manifestDigest]);
    await served(gone.caller, oci(gone.caller, 'gone', `manifests/${gone.manifestDigest}`));
  });

  it('of a generic repository are refused as well, and healed by a push', async () => {
    const caller = await registry.caller();
    const content = Buffer.alloc(MIB + 7, 'layer');
    const { digest, status } = await push(caller, content);
    expect(status).toBe(201);
    const path = oci(caller, 'app', `blobs/${digest}`);
    flip(await stored(digest), MIB + 3);
    const first = await attempt(caller, path);
    expect(first === 'cut' || first.status === 500).toBe(true);
    await eventually(async () => expect(await inQuarantine()).toContain(digest));
    await refused(caller, path);
    expect((await push(caller, content)).status).toBe(201);
    await served(caller, path, content);
  });

  it('of a manifest are healed by a push of it', async () => {
    const caller = await registry.caller();
    const config = Buffer.from('{}');
    const { digest } = await push(caller, config);
    const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: config.length };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor, layers: [], annotations: { of: caller.tenant } }),
    );
    const put = () =>
      caller.send('PUT', `/v2/${caller.tenant}/app/manifests/v1`, { body: manifest, headers: { 'content-type': mediaType } });
    const first = await put();
    expect(first.status).toBe(201);
    const path = oci(caller, 'app', 'manifests/v1');
    const named = first.headers.get('docker-content-digest') ?? '';
    flip(await stored(named));
    // Nobody has read it yet, so no process has it in its memory.
    expect((await attempt(caller, path)) as { status: number }).toMatchObject({ status: 500 });
    await eventually(async () => expect(await inQuarantine()).toContain(named));
    await refused(caller, path);
    expect((await put()).status).toBe(201);
    await served(caller, path, manifest);
  });

  it('come back from a mirror without anybody asking', async () => {
    const { caller, bundle, manifestDigest } = await publish('mirrored');
    const mirror = await addMirror(caller);
    expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
    flip(await stored(bundle.digest));
    rmSync((await stored(manifestDigest)).path);
    await attempt(caller, bundlePath('mirrored'));
    await attempt(caller, oci(caller, 'mirrored', `manifests/${manifestDigest}`));
    await eventually(async () => {
      await served(caller, bundlePath('mirrored'), bundle.bytes);
      await served(caller, oci(caller, 'mirrored', 'manifests/1.0.0'));
    }, 20_000);
    await eventually(async () => expect(await told(caller, 'registry.blob.repaired')).toHaveLength(2));
  });
});

describe('registry scrub', () => {
  it('is for the operators, who find all damage by it and nothing else', async () => {
    const stranger = await commandLineOf('somebody');
    expect((await scrub(stranger)).run.code).toBe(5);
    rmSync(stranger.folder, { recursive: true });

    const before = await inQuarantine();
    const [a, b, c, d, whole] = await Promise.all(['s-flip', 's-cut', 's-swap', 's-gone', 's-whole'].map(packId => publish(packId)));
    if (!a || !b || !c || !d || !whole) throw new Error('not published');
    flip(await stored(a.bundle.digest));
    truncateSync((await stored(b.manifestDigest)).path, 1);
    swap(await stored(c.bundle.digest), await stored(c.manifestDigest));
    rmSync((await stored(d.bundle.digest)).path);
    const damage = [a.bundle.digest, b.manifestDigest, c.bundle.digest, c.manifestDigest, d.bundle.digest, ...before].toSorted();

    const { run, view } = await scrub(operator);
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('[ERR_PACK_CORRUPT]');
    expect(view).toMatchObject({ state: 'completed', damaged: damage.length, unreadable: 0 });
    expect(view.digests.toSorted()).toEqual(damage);
    expect(await inQuarantine()).toEqual(damage);
    await served(whole.caller, bundlePath('s-whole'), whole.bundle.bytes);
    await refused(a.caller, bundlePath('s-flip'));

    const shown = await scrub(operator, '--show', view.id);
    expect([shown.run.code, shown.view]).toEqual([6, view]);
    const since = new Date(Date.now() + 3_600_000).toISOString();
    expect(await scrub(operator, '--since', since)).toMatchObject({ run: { code: 0 }, view: { examined: 0, damaged: 0 } });
    expect((await scrub(operator, '--sample', '1000000')).view.examined).toBeLessThan(view.examined);
  });

  it('is one at a time, goes on after a kill where it stood, and ends when it is cancelled', async () => {
    const caller = await registry.caller();
    for (let at = 0; at < 8; at++) expect((await push(caller, Buffer.alloc(3 * MIB, `filler ${at}`))).status).toBe(201);
    const operators = await registry.caller(OPERATORS, 'packs.admin');
    const start = () => operators.send<ScrubView & Problem>('POST', '/api/scrubs', { json: {} });
    const started = await start();
    const path = `/api/scrubs/${started.body.id}`;
    expect([started.status, started.headers.get('location')]).toEqual([202, path]);
    const second = await start();
    expect([second.status, second.body.code]).toEqual([409, 'ERR_PACK_CONFLICT']);
    const inState = (state: string, at = path, withinMs = 10_000) =>
      eventually(async () => {
        const { body } = await operators.get<ScrubView>(at);
        expect(body.state).toBe(state);
        return body;
      }, withinMs);
    await inState('running');
    await eventually(async () => expect((await operators.get<ScrubView>(path)).body.examined).toBeGreaterThan(0));
    const stoodAt = await registry.part('publisher').without(async () => {
      const rows = await registry.sql<{ state: string; examined: number }>(
        'select state, examined::int from content.scrubs where id = $1',
        [started.body.id],
      );
      expect(rows).toMatchObject([{ state: 'running' }]);
      return rows[0]?.examined ?? 0;
    });
    expect(stoodAt).toBeGreaterThan(0);
    expect((await operators.get<ScrubView>(path)).body.examined).toBeGreaterThanOrEqual(stoodAt);
    const [total] = await registry.sql<{ n: number }>('select count(*)::int as n from content.blobs');
    const ended = await inState('completed', path, 40_000);
    expect(ended).toMatchObject({ examined: total?.n, digests: { length: (await inQuarantine()).length } });

    const next = await start();
    const cancelled = await operators.send<ScrubView>('DELETE', `/api/scrubs/${next.body.id}`);
    expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
    const { run, view } = await scrub(operator, '--cancel', next.body.id);
    expect([run.code, view]).toEqual([0, cancelled.body]);
    expect(await operators.send('DELETE', '/api/scrubs/01ARZ3NDEKTSV4RRFFQ69G5FAV')).toMatchObject({ status: 404 });
    // Nobody has it any more: another can begin.
    expect((await scrub(operator, '--no-wait', '--sample', '1000000')).view.state).toBe('queued');
  });
});
