import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttestationList, ExportView, ImportView, PackChannels, Problem } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { Client } from 'pg';
import { runStella, type Run } from '../tools/cli/testing/run-cli';
import { Caller, type Answer } from './caller';
import { multipart } from './multipart';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { ALL_SCOPES, newTenant, Registry } from './registry';
import { SigningKey, type SignatureDocument } from './signing-key';
import { rowsOf } from './tenant-state';

const SLSA = 'https://slsa.dev/provenance/v1';
const LEASE_MS = 1_500;
const release = new SigningKey('release');
/** Made by a tenant that has nothing of what makes a kit its own. */
const stranger = new SigningKey('stranger');
let source: Registry;
let site: Registry;
let folder: string;

jest.setTimeout(120_000);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packs-kits-'));
  [source, site] = await Promise.all([
    Registry.start({ MIRROR_LEASE_MS: String(LEASE_MS) }),
    Registry.start({ MIRROR_LEASE_MS: String(LEASE_MS) }),
  ]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([source.end(), site.end()]);
});

interface Kit {
  readonly file: string;
  readonly bytes: Buffer;
  readonly signature: Buffer;
  readonly view: ExportView;
}

const exporterPem = (registry: Registry): string => join(registry.facts.dataDir, 'keys', 'kit-signing.pub.pem');

async function publish(caller: Caller, packId: string, version: string, channel = 'edge', filler = ''): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId, version), filler ? [{ path: 'filler.bin', content: filler }] : []);
  const { status, body } = await caller.publish(bundle, { signatures: [release.sigstore(bundle.bytes)], query: { channel } });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

async function ok<T>(asked: Promise<Answer<T>>, status = 200): Promise<T> {
  const answer = await asked;
  expect([answer.status, answer.body]).toMatchObject([status, {}]);
  return answer.body;
}

async function attest(caller: Caller, packId: string, version: string, { mediaType, content }: SignatureDocument): Promise<void> {
  const path = `/api/packs/${packId}/versions/${version}/attestations`;
  await ok(caller.send('POST', path, { headers: { 'content-type': mediaType }, body: content }), 201);
}

/** The same tenant at the other registry. */
async function at(registry: Registry, tenant: string): Promise<Caller> {
  return new Caller(registry.gatewayUrl, await registry.token({ tenant, scope: ALL_SCOPES, clientId: `${tenant}-client` }), tenant);
}

async function aTenant(): Promise<{ here: Caller; there: Caller }> {
  const tenant = newTenant();
  const here = await at(source, tenant);
  await here.accept(release);
  return { here, there: await at(site, tenant) };
}

async function takeKitsFrom(caller: Caller, pem = readFileSync(exporterPem(source), 'utf8')): Promise<void> {
  await ok(caller.put('/api/exporters', { keys: [{ name: 'headquarters', publicKey: pem }] }));
}

async function ended<View extends ExportView | ImportView>(caller: Caller, path: string, withinMs = 30_000): Promise<View> {
  return eventually(async () => {
    const { status, body } = await caller.get<View>(path);
    expect(status).toBe(200);
    expect(['succeeded', 'failed']).toContain(body.state);
    return body;
  }, withinMs);
}

async function makeKit(caller: Caller, input: object = {}): Promise<Kit> {
  const { id } = await ok(caller.send<ExportView>('POST', '/api/exports', { json: input }), 202);
  return fetchKit(caller, id);
}

async function fetchKit(caller: Caller, id: string): Promise<Kit> {
  const view = await ended<ExportView>(caller, `/api/exports/${id}`);
  expect([view.state, view.error]).toEqual(['succeeded', null]);
  const [kit, signature] = [await caller.get(`/api/exports/${id}/kit`), await caller.get(`/api/exports/${id}/signature`)];
  expect([kit.status, kit.headers.get('etag'), digestOf(kit.bytes)]).toEqual([200, `"${view.kit?.digest}"`, view.kit?.digest]);
  expect(digestOf(signature.bytes)).toBe(view.kit?.signature);
  const file = join(folder, `${id}.tar`);
  writeFileSync(file, kit.bytes);
  writeFileSync(`${file}.sigstore.json`, signature.bytes);
  return { file, bytes: kit.bytes, signature: signature.bytes, view };
}

function upload(
  caller: Caller,
  kit: Buffer,
  signature: Buffer | undefined,
  query: Record<string, boolean> = {},
): Promise<Answer<ImportView & Problem>> {
  const form = multipart([
    { name: 'kit', file: 'kit.tar', type: 'application/x-tar', content: kit },
    ...(signature ? [{ name: 'signature', file: 'kit.tar.sigstore.json', type: 'application/json', content: signature }] : []),
  ]);
  return caller.send('POST', '/api/imports', { query, headers: { 'content-type': form.contentType }, body: form.body });
}

async function bringIn(caller: Caller, kit: Buffer, signature: Buffer, query: Record<string, boolean> = {}): Promise<ImportView> {
  const { id } = await ok(upload(caller, kit, signature, query), 202);
  return ended<ImportView>(caller, `/api/imports/${id}`);
}

function stella(registry: Registry, caller: Caller, ...args: string[]): Promise<Run> {
  return runStella(args, { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' } });
}

/** Everything of the tenant but what only tells of the refusal itself, once what imports have left is cleared away. */
async function contentOf(registry: Registry, tenant: string) {
  await eventually(async () => expect(await registry.sql(`select 1 from mirror.kit_jobs where to_clear or state = 'running'`)).toEqual([]));
  const { 'registry.outbox': _events, 'compliance.audit_log': _entries, ...rest } = await rowsOf(registry, tenant);
  return rest;
}

/** Versions of every lifecycle, in built-in channels and one of the tenant's own, one of them attested. */
async function fillWithEverything(here: Caller) {
  await ok(here.put('/api/channels/field', { description: 'For sites without a network' }));
  await publish(here, 'hello', '1.0.0', 'stable');
  const newer = await publish(here, 'hello', '1.1.0');
  const other = await publish(here, 'other', '2.0.0', 'field');
  await ok(here.send('POST', '/api/packs/hello/promote', { json: { version: '1.1.0', channel: 'stable' } }));
  const attestation = release.attestation(newer.digest, SLSA, { builder: 'ci' });
  await attest(here, 'hello', '1.1.0', attestation);
  await ok(here.send('DELETE', '/api/packs/hello/versions/1.0.0', { query: { reason: 'slow', replacement: 'hello@1.1.0' } }));
  await ok(here.send('POST', '/api/packs/other/versions/2.0.0/lifecycle', { json: { state: 'archived', reason: 'done' } }));
  return { other, attestation };
}

describe('an offline kit (T6)', () => {
  it('brings packs, signatures, attestations, channels and deprecations into an empty registry, digest for digest', async () => {
    const { here, there } = await aTenant();
    const { other, attestation } = await fillWithEverything(here);
    const out = join(folder, 'all.tar');
    const exported = await stella(source, here, 'pack', 'mirror', 'export', '-o', out, '--key', exporterPem(source), '--output', 'json');
    expect([exported.stderr, exported.code]).toEqual(['', 0]);
    expect(JSON.parse(exported.stdout)).toMatchObject({
      tenant: here.tenant,
      versions: 3,
      withdrawn: 0,
      signedBy: { name: 'kit-signing' },
    });
    expect((await stella(source, here, 'pack', 'mirror', 'verify', out, '--key', exporterPem(source))).code).toBe(0);

    const trusted = await stella(site, there, 'exporter', 'add', '--name', 'headquarters', '--key', exporterPem(source));
    expect([trusted.stderr, trusted.code]).toEqual(['', 0]);
    const preflight = await stella(site, there, 'pack', 'mirror', 'import', out, '--preflight', '--output', 'json');
    expect([preflight.stderr, JSON.parse(preflight.stdout)]).toMatchObject([
      '',
      { report: { outcome: 'import', versions: { total: 3, new: 3 } } },
    ]);
    expect((await there.version('hello', '1.1.0')).status).toBe(404);
    const imported = await stella(site, there, 'pack', 'mirror', 'import', out, '--accept-trust', '--output', 'json');
    expect([imported.stderr, JSON.parse(imported.stdout)]).toMatchObject([
      '',
      { state: 'succeeded', result: { outcome: 'imported', added: 3, known: 0 } },
    ]);

    for (const [packId, version] of [
      ['hello', '1.0.0'],
      ['hello', '1.1.0'],
      ['other', '2.0.0'],
    ] as const) {
      const [before, after] = [await ok(here.version(packId, version)), await ok(there.version(packId, version))];
      const { verdict: was, ...kept } = before;
      const { verdict: is, ...found } = after;
      expect(found).toEqual(kept);
      // Judged anew, under this tenant's own keys and policies.
      expect([is.outcome, is.identities, is.hash === was.hash]).toEqual(['accepted', was.identities, false]);
    }
    for (const channel of ['hello', 'other']) {
      const heads = async (caller: Caller) =>
        (await ok(caller.get<PackChannels>(`/api/packs/${channel}/channels`))).channels.map(head => [head.channel, head.version]);
      expect(await heads(there)).toEqual(await heads(here));
    }
    const attestationsAt = (caller: Caller) => ok(caller.get<AttestationList>('/api/packs/hello/versions/1.1.0/attestations'));
    expect((await attestationsAt(there)).attestations).toMatchObject([{ predicateType: SLSA, digest: digestOf(attestation.content) }]);
    expect((await there.bundle('other', '2.0.0')).bytes.equals(other.bytes)).toBe(true);

    const key = join(folder, 'release.pub.pem');
    writeFileSync(key, release.publicKey);
    const verified = await stella(site, there, 'pack', 'verify', 'hello@1.1.0', '--key', key);
    expect([verified.stderr, verified.code]).toEqual(['', 0]);

    await eventually(async () => {
      const types = (await there.audit()).map(({ type }) => type);
      expect(types.filter(type => type === 'pack.version.published')).toHaveLength(3);
      expect(types).toEqual(
        expect.arrayContaining(['registry.trust.updated', 'registry.policy.updated', 'pack.attestation.added', 'pack.version.archived']),
      );
      expect(types.at(-1)).toBe('mirror.kit.imported');
    });
  });

  it('has the same bytes whenever it is made as of the same entry, and its own when something happened', async () => {
    const { here } = await aTenant();
    await publish(here, 'hello', '1.0.0', 'stable');
    const first = await makeKit(here, { selection: { channels: ['stable'], packIds: ['hello', 'other'] } });
    const generation = first.view.generation ?? 0;
    await publish(here, 'hello', '1.1.0', 'stable');
    await ok(here.send('DELETE', '/api/packs/hello/versions/1.0.0'));
    await here.trust(release, stranger);

    const again = await makeKit(here, { selection: { packIds: ['other', 'hello'], channels: ['stable'] }, seq: generation });
    expect(again.bytes.equals(first.bytes)).toBe(true);
    const now = await makeKit(here, { selection: { channels: ['stable'] } });
    expect(now.view.kit?.versions).toBe(2);
    expect(now.bytes.equals(first.bytes)).toBe(false);
    const ahead = await here.send<Problem>('POST', '/api/exports', { json: { seq: generation + 1000 } });
    expect([ahead.status, ahead.body.code]).toEqual([400, 'ERR_PACK_REQUEST_INVALID']);
  });

  it('leaves out what the registry itself would not serve', async () => {
    const { here } = await aTenant();
    await publish(here, 'hello', '1.0.0');
    await here.trust(stranger);
    const kit = await makeKit(here);
    expect(kit.view.kit).toMatchObject({ versions: 0, withdrawn: 1 });
  });

  it('leaves out an attestation whose signer lost the trust, and is taken in without it', async () => {
    const { here, there } = await aTenant();
    await here.trust(release, stranger);
    await here.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'stranger' }] });
    const { digest } = await publish(here, 'hello', '1.0.0');
    for (const signer of [release, stranger]) await attest(here, 'hello', '1.0.0', signer.attestation(digest, SLSA));
    const before = await makeKit(here);
    await here.trust(release);
    const kit = await makeKit(here);
    const again = await makeKit(here, { seq: before.view.generation });
    expect(again.bytes.equals(before.bytes)).toBe(true);

    await takeKitsFrom(there);
    expect(await bringIn(there, kit.bytes, kit.signature, { acceptTrust: true })).toMatchObject({
      state: 'succeeded',
      result: { added: 1 },
    });
    const { attestations } = await ok(there.get<AttestationList>('/api/packs/hello/versions/1.0.0/attestations'));
    expect(attestations).toMatchObject([{ signers: [{ name: 'release' }] }]);
  });

  it('is sent in ranges, to its own tenant alone', async () => {
    const { here } = await aTenant();
    await publish(here, 'hello', '1.0.0');
    const kit = await makeKit(here);
    const path = `/api/exports/${kit.view.id}/kit`;
    const part = await here.get(path, {}, { range: 'bytes=512-1023' });
    expect([part.status, part.bytes.equals(kit.bytes.subarray(512, 1024))]).toEqual([206, true]);
    const foreign = await source.caller();
    for (const route of [path, `/api/exports/${kit.view.id}`, `/api/exports/${kit.view.id}/signature`])
      expect((await foreign.get(route)).status).toBe(404);
  });
});

describe('an import', () => {
  it('does nothing the second time, and refuses an older generation of the same source', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await publish(here, 'hello', '1.0.0');
    const older = await makeKit(here);
    await publish(here, 'hello', '1.1.0');
    await ok(here.send('DELETE', '/api/packs/hello/versions/1.0.0', { query: { reason: 'old' } }));
    const newer = await makeKit(here);
    expect(await bringIn(there, older.bytes, older.signature, { acceptTrust: true })).toMatchObject({
      result: { outcome: 'imported', added: 1 },
    });
    expect(await bringIn(there, newer.bytes, newer.signature)).toMatchObject({ result: { outcome: 'imported', added: 1, known: 1 } });
    expect((await ok(there.version('hello', '1.0.0'))).deprecation).toMatchObject({ reason: 'old' });

    const before = await contentOf(site, there.tenant);
    expect(await bringIn(there, newer.bytes, newer.signature)).toMatchObject({
      state: 'succeeded',
      result: { outcome: 'unchanged', added: 0 },
    });
    expect(await bringIn(there, older.bytes, older.signature)).toMatchObject({ state: 'failed', error: { code: 'ERR_KIT_STALE' } });
    expect(await contentOf(site, there.tenant)).toEqual(before);
    // Every object is content: nothing of an import is left that nobody knows.
    expect(before.objects).toBe(before['content.blobs']);
  });

  it("is judged by the tenant's own keys and policies, not by those of the kit", async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await there.accept(stranger);
    await publish(here, 'hello', '1.0.0');
    const kit = await makeKit(here);
    const refused = await bringIn(there, kit.bytes, kit.signature);
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'ERR_PACK_VERDICT_REJECTED', errors: [{ field: 'hello@1.0.0' }] } });
    expect((await there.version('hello', '1.0.0')).status).toBe(404);
  });

  it('brings no attestation whose signer is not trusted here', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await there.accept(release);
    await here.trust(release, stranger);
    await here.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'stranger' }] });
    const { digest } = await publish(here, 'hello', '1.0.0');
    const attestation = stranger.attestation(digest, SLSA);
    await attest(here, 'hello', '1.0.0', attestation);
    const kit = await makeKit(here);
    const refused = await bringIn(there, kit.bytes, kit.signature);
    const field = `attestation ${digestOf(attestation.content)} of hello@1.0.0`;
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'ERR_PACK_VERDICT_REJECTED', errors: [{ field }] } });
    expect((await there.version('hello', '1.0.0')).status).toBe(404);
  });

  it('refuses a kit whose versions exist with other content', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await there.accept(release);
    await publish(here, 'hello', '1.0.0');
    await publish(there, 'hello', '1.0.0', 'edge', 'something else');
    const kit = await makeKit(here);
    const refused = await bringIn(there, kit.bytes, kit.signature);
    expect(refused).toMatchObject({
      state: 'failed',
      report: { outcome: 'conflict' },
      error: { code: 'ERR_KIT_CONFLICT', errors: [{ field: 'hello@1.0.0' }] },
    });
  });

  it('refuses each damage with its own code and writes nothing', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await there.accept(release);
    await publish(here, 'hello', '1.0.0');
    const older = await makeKit(here);
    await publish(here, 'hello', '1.1.0');
    const kit = await makeKit(here);
    const foreigner = await at(site, newTenant());
    await takeKitsFrom(foreigner);
    const contents = () => Promise.all([there, foreigner].map(({ tenant }) => contentOf(site, tenant)));
    const before = await contents();

    const damages: [code: string, kit: Buffer, signature: Buffer, by?: Caller][] = [
      ['ERR_KIT_DIGEST', flippedAt(kit.bytes, 600), kit.signature],
      ['ERR_KIT_TRUNCATED', kit.bytes.subarray(0, kit.bytes.length - 2048), kit.signature],
      ['ERR_KIT_BLOB_MISSING', repacked(kit.bytes, entries => entries.slice(1)), kit.signature],
      ['ERR_KIT_BLOB_EXTRA', repacked(kit.bytes, entries => [...entries, anExtraBlob()]), kit.signature],
      ['ERR_KIT_INDEX', repacked(kit.bytes, entries => withDocumentOf(entries, older.bytes, 'index.json')), kit.signature],
      ['ERR_KIT_BLOB_MISSING', repacked(kit.bytes, entries => [...blobsOf(older.bytes), ...entries.filter(isNoBlob)]), kit.signature],
      ['ERR_KIT_FORMAT', Buffer.from('no kit at all'.repeat(100)), kit.signature],
      ['ERR_KIT_SIGNER', kit.bytes, signedBy(stranger, kit.bytes)],
      ['ERR_KIT_DIGEST', kit.bytes, older.signature],
      ['ERR_KIT_TENANT', kit.bytes, kit.signature, foreigner],
    ];
    for (const [code, bytes, signature, by = there] of damages) {
      const refused = await bringIn(by, bytes, signature);
      expect([code, refused.state, refused.error?.code]).toEqual([code, 'failed', code]);
    }
    const unsigned = await upload(there, kit.bytes, undefined);
    expect([unsigned.status, unsigned.body.code]).toEqual([422, 'ERR_KIT_UNSIGNED']);
    expect(await contents()).toEqual(before);
    expect(await site.sql(`select 1 from mirror.kit_staging where tenant = $1`, [there.tenant])).toEqual([]);
    await eventually(async () =>
      expect((await there.audit({ type: 'mirror.kit.refused' })).map(({ data }) => data['reason'])).toEqual(
        damages.slice(0, -1).map(([code]) => code),
      ),
    );
  });
});

describe('killed in the middle', () => {
  it('an export is taken over and has the same digest', async () => {
    const { here } = await aTenant();
    for (const version of ['1.0.0', '1.1.0']) await publish(here, 'large', version, 'edge', randomText(900_000));
    const undisturbed = await makeKit(here);
    const { body } = await whileStuck(source, 'content.blobs', 'mirror-worker', async stuck => {
      const asked = await here.send<ExportView>('POST', '/api/exports', { json: { seq: undisturbed.view.generation } });
      await stuck();
      await source.part('mirror-worker').kill();
      return asked;
    });
    await source.part('mirror-worker').start();
    const kit = await fetchKit(here, body.id);
    expect([kit.view.attempts, kit.bytes.equals(undisturbed.bytes)]).toEqual([2, true]);
  });

  it.each([
    ['mirror-worker while it stages', 'mirror-worker', 'mirror.kit_staging', 'mirror-worker'],
    ['publisher just before it commits', 'publisher', 'registry.imported_kits', 'publisher'],
    ['mirror-worker while publisher commits', 'mirror-worker', 'registry.imported_kits', 'publisher'],
  ] as const)('an import shows nothing before it shows all: %s', async (_when, victim, table, stuckPart) => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    const count = 12;
    for (let minor = 0; minor < count; minor++) await publish(here, 'many', `1.${minor}.0`);
    const kit = await makeKit(here);
    const visible = async (): Promise<number> =>
      (await site.sql(`select 1 from registry.pack_versions where tenant = $1`, [there.tenant])).length;

    const { body } = await whileStuck(site, table, stuckPart, async stuck => {
      const asked = await upload(there, kit.bytes, kit.signature, { acceptTrust: true });
      await stuck();
      expect(await visible()).toBe(0);
      await site.part(victim).kill();
      expect(await visible()).toBe(0);
      return asked;
    });
    await site.part(victim).start();
    const seen = new Set<number>();
    const imported = await eventually(async () => {
      seen.add(await visible());
      const view = (await there.get<ImportView>(`/api/imports/${body.id}`)).body;
      expect(['succeeded', 'failed']).toContain(view.state);
      return view;
    }, 45_000);
    expect(imported).toMatchObject({ state: 'succeeded', attempts: victim === 'mirror-worker' ? 2 : 1, error: null });
    expect([...seen].filter(rows => rows !== 0 && rows !== count)).toEqual([]);
    expect(await visible()).toBe(count);
    await eventually(async () => {
      expect(await there.audit({ type: 'mirror.kit.imported' })).toHaveLength(1);
      expect(await there.audit({ type: 'pack.version.published' })).toHaveLength(count);
      expect(await site.sql(`select 1 from mirror.kit_staging where tenant = $1`, [there.tenant])).toEqual([]);
    });
    expect((await there.bundle('many', '1.7.0')).status).toBe(200);
  });
});

describe('a revocation', () => {
  const next = new SigningKey('next');
  const keysOf = (...keys: SigningKey[]) => keys.map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme }));
  const revoked = { keys: [{ keyId: release.keyId, reason: 'stolen' }] };
  const either = { anyOf: [{ keyRef: 'release' }, { keyRef: 'next' }] };

  it('keeps what it is about out of kits and out of who imports them, until it is signed anew', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await ok(here.put('/api/trust', { keys: keysOf(release, next) }));
    await ok(here.policy(either));
    const bundle = await publish(here, 'hello', '1.0.0');
    const before = await makeKit(here);
    expect(before.view.kit).toMatchObject({ versions: 1, withdrawn: 0 });

    await ok(there.put('/api/trust', { keys: keysOf(release, next), revoked }));
    await ok(there.policy(either));
    const refused = await bringIn(there, before.bytes, before.signature);
    expect([refused.state, refused.error?.code]).toEqual(['failed', 'ERR_PACK_VERDICT_REJECTED']);
    const takenBack = await bringIn(there, before.bytes, before.signature, { acceptTrust: true });
    expect([takenBack.state, takenBack.error?.code]).toEqual(['failed', 'ERR_PACK_TRUST_INVALID']);
    expect((await there.get('/api/packs/hello')).status).toBe(404);

    await ok(here.put('/api/trust', { keys: keysOf(release, next), revoked }));
    await eventually(async () => expect(await here.audit({ type: 'pack.version.withdrawn' })).toHaveLength(1));
    expect((await makeKit(here)).view.kit).toMatchObject({ versions: 0, withdrawn: 1 });
    const { mediaType, content } = next.sigstore(bundle.bytes);
    const signatures = [{ mediaType, content: content.toString('base64') }];
    await ok(here.send('POST', '/api/packs/hello/versions/1.0.0/signatures', { json: { signatures, replaceAll: true } }));
    const after = await makeKit(here);
    expect(after.view.kit).toMatchObject({ versions: 1, withdrawn: 0 });
    expect((await bringIn(there, after.bytes, after.signature)).state).toBe('succeeded');
    expect((await there.bundle('hello', '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
    const again = await makeKit(here, { seq: before.view.generation });
    expect(again.bytes.equals(before.bytes)).toBe(true);
  });

  it('is outlived by a version that gets its other signature by a kit', async () => {
    const { here, there } = await aTenant();
    await takeKitsFrom(there);
    await ok(here.put('/api/trust', { keys: keysOf(release, next) }));
    await ok(here.policy(either));
    const bundle = await publish(here, 'hello', '1.0.0');
    const before = await makeKit(here);
    expect((await bringIn(there, before.bytes, before.signature, { acceptTrust: true })).state).toBe('succeeded');
    await ok(there.put('/api/trust', { keys: keysOf(release, next), revoked }));
    await eventually(async () => expect(await there.audit({ type: 'pack.version.withdrawn' })).toHaveLength(1));
    const { mediaType, content } = next.sigstore(bundle.bytes);
    const signatures = [{ mediaType, content: content.toString('base64') }];
    await ok(here.send('POST', '/api/packs/hello/versions/1.0.0/signatures', { json: { signatures } }));
    const after = await makeKit(here);
    expect((await bringIn(there, after.bytes, after.signature)).state).toBe('succeeded');
    expect((await there.bundle('hello', '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
    await eventually(async () => expect(await there.audit({ type: 'pack.version.restored' })).toHaveLength(1));
  });
});

/** Lets nobody write to a table while `work` runs; `stuck` resolves when the process waits for it. */
async function whileStuck<T>(
  registry: Registry,
  table: string,
  process: string,
  work: (stuck: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: registry.facts.databaseAdminUrl });
  await client.connect();
  try {
    await client.query(`begin; lock table ${table} in share mode`);
    return await work(() =>
      eventually(async () => {
        const waiting = `select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`;
        expect((await registry.sql(waiting, [process])).length).toBeGreaterThan(0);
      }),
    );
  } finally {
    await client.end();
  }
}

function flippedAt(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

function randomText(size: number): string {
  const key = randomBytes(16).toString('hex');
  return Array.from({ length: size / 64 }, (_, at) => digestOf(`${key}/${at}`).slice(7)).join('');
}

/** Signed as an exporter signs, by somebody else. */
function signedBy(key: SigningKey, kit: Buffer): Buffer {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'kit.tar', digest: { sha256: digestOf(kit).slice(7) } }],
    predicateType: 'https://stellaops.io/attestation/offline-kit/v1',
    predicate: {},
  };
  const dsseEnvelope: unknown = JSON.parse(key.envelope(JSON.stringify(statement)).content.toString());
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  return Buffer.from(JSON.stringify({ mediaType, verificationMaterial: { publicKey: { hint: '' } }, dsseEnvelope }));
}

interface Entry {
  readonly path: string;
  readonly block: Buffer;
}

/** The entries of a tar, header and padding included, read without the product's code. */
function entriesOf(tar: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; tar[at] !== 0;) {
    const size = parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const end = at + 512 + Math.ceil(size / 512) * 512;
    entries.push({ path: tar.toString('latin1', at, at + 100).replace(/\0+$/, ''), block: tar.subarray(at, end) });
    at = end;
  }
  return entries;
}

function repacked(tar: Buffer, change: (entries: Entry[]) => Entry[]): Buffer {
  const entries = change(entriesOf(tar)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.concat([...entries.map(({ block }) => block), Buffer.alloc(1024)]);
}

function withDocumentOf(entries: Entry[], other: Buffer, path: string): Entry[] {
  const foreign = entriesOf(other).find(entry => entry.path === path);
  return entries.map(entry => (entry.path === path && foreign ? foreign : entry));
}

const isNoBlob = ({ path }: Entry): boolean => !path.startsWith('blobs/');

function blobsOf(kit: Buffer): Entry[] {
  return entriesOf(kit).filter(entry => !isNoBlob(entry));
}

function anExtraBlob(): Entry {
  const content = Buffer.from('nobody needs this');
  const path = `blobs/sha256/${digestOf(content).slice(7)}`;
  const block = Buffer.alloc(1024);
  block.write(path, 0);
  block.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  block.write(`${content.length.toString(8).padStart(11, '0')}\0` + '00000000000\0' + '        ' + '0', 124);
  block.write('ustar\x0000', 257);
  block.write('0000000\x000000000\0', 329);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  content.copy(block, 512);
  return { path, block };
}
