import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MirrorResponse, Problem, ReverificationAnswer, RotateSignatureAnswer, SignatureHistory, VersionList } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Answer, Caller } from './caller';
import { addMirror, parityOf, sync } from './mirror-calls';
import { ImageLayout } from './mirror-files';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey, type SignatureDocument } from './signing-key';

let registry: Registry;
const [first, second] = [new SigningKey('first'), new SigningKey('second')];

jest.setTimeout(60_000);

beforeAll(async () => {
  registry = await Registry.shared();
});

async function aPublisher(): Promise<Caller> {
  const caller = await registry.caller();
  expect((await caller.trust(first, second)).status).toBe(200);
  expect((await caller.policy({ anyOf: [{ keyRef: 'first' }, { keyRef: 'second' }] })).status).toBe(200);
  return caller;
}

async function publish(caller: Caller, packId: string): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId));
  expect((await caller.publish(bundle, { signatures: [first.sigstore(bundle.bytes)] })).status).toBe(201);
  return bundle;
}

const PATH = (packId: string) => `/api/packs/${packId}/versions/1.0.0/signatures`;

function rotate(
  caller: Caller,
  packId: string,
  documents: readonly SignatureDocument[],
  more: object = {},
): Promise<Answer<RotateSignatureAnswer & Problem>> {
  const signatures = documents.map(({ mediaType, content }) => ({ mediaType, content: content.toString('base64') }));
  return caller.send('POST', PATH(packId), { json: { signatures, ...more } });
}

async function expectWithdrawn(caller: Caller, packId: string): Promise<void> {
  const { status, body } = await caller.get<Problem>(`/api/packs/${packId}/versions/1.0.0`);
  expect([status, body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
}

/** Once the pass that follows the last change of keys is through. */
async function settled(caller: Caller): Promise<NonNullable<ReverificationAnswer['reverification']>> {
  return eventually(async () => {
    const { body } = await caller.get<ReverificationAnswer>('/api/reverification');
    expect(body.reverification).toMatchObject({ state: 'completed' });
    if (!body.reverification) throw new Error('there was none');
    return body.reverification;
  });
}

const told = async (caller: Caller, type: string) => (await caller.audit({ type })).map(({ packId, data }) => ({ packId, ...data }));

describe('a published version', () => {
  it('gets another signature in the place of its own, by REST, and keeps its history', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'rotated');
    const before = (await caller.version('rotated', '1.0.0')).body;
    const [was] = before.signatures;
    const answer = await rotate(caller, 'rotated', [second.sigstore(bundle.bytes)], { replaceAll: true, reason: 'first is old' });
    expect([answer.status, answer.body]).toMatchObject([200, { changed: true, rotation: 1, replaced: [was?.digest], restored: false }]);
    const after = (await caller.version('rotated', '1.0.0')).body;
    expect(after).toMatchObject({ manifestDigest: before.manifestDigest, signatures: [{ keyName: 'second' }] });
    const history = (await caller.get<SignatureHistory>(`${PATH('rotated')}/history`)).body;
    expect(history.rotations).toMatchObject([
      { rotation: 1, reason: 'first is old', replaced: [{ digest: was?.digest, keyName: 'first' }] },
    ]);
    await eventually(async () => expect(await told(caller, 'pack.signature.rotated')).toMatchObject([{ packId: 'rotated', rotation: 1 }]));

    // The key that signed first may go now.
    expect((await caller.trust(second)).status).toBe(200);
    expect((await caller.version('rotated', '1.0.0')).status).toBe(200);
    expect(await settled(caller)).toMatchObject({ examined: 1, withdrawn: 0 });
    expect(await told(caller, 'pack.version.withdrawn')).toEqual([]);
  });

  it('keeps what it has when others would not do', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'kept');
    const refused = await rotate(caller, 'kept', [new SigningKey('stranger').sigstore(bundle.bytes)], { replaceAll: true });
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
    expect((await caller.version('kept', '1.0.0')).body.signatures).toMatchObject([{ keyName: 'first' }]);
    const empty = await rotate(caller, 'kept', []);
    expect([empty.status, empty.body.errors]).toMatchObject([400, [{ field: 'signatures' }]]);
  });

  it('gets one from the command line, which shows how it came to it', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'by-hand');
    const file = join(registry.facts.dataDir, `${caller.tenant}.sigstore.json`);
    writeFileSync(file, second.sigstore(bundle.bytes).content);
    const env = { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' };
    const rotated = await runStella(['pack', 'rotate-signature', 'by-hand@1.0.0', '--signature', file, '--reason', 'a second one'], {
      env,
    });
    expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringContaining('by-hand@1.0.0') as string]);
    const shown = await runStella(['pack', 'signatures', 'by-hand@1.0.0'], { env });
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('a second one') as string]);
    const state = await runStella(['reverify', '--output', 'json'], { env });
    expect(JSON.parse(state.stdout)).toMatchObject({ reverification: { cause: 'trust' } });
    expect((await caller.version('by-hand', '1.0.0')).body.signatures).toHaveLength(2);
  });
});

describe('a revoked key', () => {
  it('takes what it signed from readers and mirrors, once, and other signatures bring it back', async () => {
    const caller = await aPublisher();
    const [lost, sound] = [await publish(caller, 'lost'), await publish(caller, 'sound')];
    await rotate(caller, 'sound', [second.sigstore(sound.bytes)]);
    const mirror = await addMirror(caller);
    await sync(caller, mirror);
    const layout = new ImageLayout(join(registry.facts.dataDir, 'mirrors', mirror.tenant, mirror.location));
    expect(layout.state.versions.map(({ packId }) => packId)).toEqual(['lost', 'sound']);

    const keys = [first, second].map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme }));
    const revoked = { keys: [{ keyId: first.keyId, reason: 'the laptop was stolen' }] };
    expect((await caller.put('/api/trust', { keys, revoked })).status).toBe(200);
    await expectWithdrawn(caller, 'lost');
    expect((await caller.version('sound', '1.0.0')).status).toBe(200);
    expect(await settled(caller)).toMatchObject({ cause: 'trust', examined: 2, withdrawn: 1, failed: 0 });
    await expectWithdrawn(caller, 'lost');
    const listed = (await caller.get<VersionList>('/api/packs/lost/versions')).body.versions;
    expect(listed).toMatchObject([{ withdrawal: { trustEpoch: 2 } }]);
    await eventually(async () =>
      expect(await told(caller, 'pack.version.withdrawn')).toMatchObject([{ packId: 'lost', change: 1, epoch: 2 }]),
    );
    await shows(layout, { versions: ['sound'], withdrawn: ['lost'] });
    await inStep(caller, mirror);

    const restored = await rotate(caller, 'lost', [second.sigstore(lost.bytes)], { replaceAll: true, reason: 'signed anew' });
    expect(restored.body).toMatchObject({ changed: true, restored: true });
    expect((await caller.bundle('lost', '1.0.0')).bytes.equals(lost.bytes)).toBe(true);
    await eventually(async () => expect(await told(caller, 'pack.version.restored')).toMatchObject([{ packId: 'lost', change: 2 }]));
    await shows(layout, { versions: ['lost', 'sound'], withdrawn: [] });
    await inStep(caller, mirror);
    expect(await told(caller, 'pack.version.withdrawn')).toHaveLength(1);
  });
});

async function shows(
  layout: ImageLayout,
  wanted: { readonly versions: readonly string[]; readonly withdrawn: readonly string[] },
): Promise<void> {
  await eventually(() => {
    const { versions, withdrawn } = layout.state;
    expect({ versions: versions.map(({ packId }) => packId), withdrawn: withdrawn.map(({ packId }) => packId) }).toEqual(wanted);
  }, 20_000);
}

async function inStep(caller: Caller, mirror: MirrorResponse): Promise<void> {
  await eventually(async () => expect(await parityOf(caller, mirror)).toMatchObject({ inStep: true }), 20_000);
}
