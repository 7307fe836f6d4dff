import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MirrorRequest, MirrorResponse } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { eventually, OciPeer } from '@packs/testing';
import type { Caller } from './caller';
import { addMirror, idle, parityOf, sync } from './mirror-calls';
import { ImageLayout } from './mirror-files';
import { OCI_MANIFEST } from './oci-content';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';
import { Upstream } from './upstream';

const key = new SigningKey('release');
const PEERS = ['docker-registry', 'registry'] as const;
const REMOVED_WITHIN_MS = 20_000;

jest.setTimeout(90_000);

let peers: Map<string, OciPeer>;
let registry: Registry;
let caller: Caller;
let pack: Upstream;
/** The version's manifest. */
let subject: { readonly digest: Digest; readonly bytes: Buffer };

beforeAll(async () => {
  peers = new Map();
  for (const name of PEERS) if (OciPeer.isWanted(name)) peers.set(name, await OciPeer.start(name));
  registry = await Registry.start({ MIRROR_REGISTRIES: [...peers.values()].map(({ host }) => `http://${host} private`).join(', ') });
});
afterAll(async () => {
  await registry.end();
  for (const peer of peers.values()) await peer.end();
});
beforeEach(async () => {
  caller = await registry.caller();
  await caller.accept(key);
  const bundle = aBundle(aManifest('hello'));
  expect((await caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] })).status).toBe(201);
  pack = new Upstream(new URL(registry.gatewayUrl).host, `${caller.tenant}/hello`, caller.token ?? '');
  const manifest = await pack.repository.manifest('1.0.0');
  if (!manifest) throw new Error('nothing was published');
  subject = manifest;
});

const inStep = (mirror: MirrorResponse) =>
  eventually(async () => expect(await parityOf(caller, mirror)).toMatchObject({ inStep: true }), 20_000);

/** What a client attached is at the mirror soon, and soon no more when it was taken away; parity agrees. */
async function follows(settings: Partial<MirrorRequest>, shown: (mirror: MirrorResponse) => Promise<readonly string[]>): Promise<void> {
  const mirror = await addMirror(caller, settings);
  expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
  const before = await shown(mirror);
  const sbom = await pack.attach(subject, Buffer.from('{"spdxVersion":"SPDX-2.3"}'), 'application/spdx+json');
  await eventually(async () => expect(await shown(mirror)).toEqual([...before, sbom].toSorted()), 20_000);
  await inStep(mirror);
  // Nobody has verified it, and what it says is not true.
  await pack.attach(subject, new SigningKey('stranger').raw(subject.bytes).content, 'application/vnd.stellaops.pack.signature.v1');
  expect(await sync(caller, mirror)).toMatchObject({ state: 'succeeded' });
  expect(await shown(mirror)).toEqual([...before, sbom].toSorted());
  const removed = await caller.send('DELETE', `/v2/${caller.tenant}/hello/manifests/${sbom}`);
  expect(removed.status).toBe(202);
  await eventually(async () => expect(await shown(mirror)).toEqual(before), REMOVED_WITHIN_MS);
  await idle(caller, mirror);
  await inStep(mirror);
  expect((await caller.audit({ packId: 'hello' })).map(({ type }) => type).filter(type => type.startsWith('pack.referrer'))).toEqual([
    'pack.referrer.added',
    'pack.referrer.removed',
  ]);
}

const folderOf = ({ tenant, location }: MirrorResponse): string => join(registry.facts.dataDir, 'mirrors', tenant, location);

describe('what clients attach to a version, such as an SBOM,', () => {
  it('is at a mirror that is an image layout', () =>
    follows({ kind: 'oci-layout' }, mirror => {
      const layout = new ImageLayout(folderOf(mirror));
      return Promise.resolve(
        layout
          .referrers(subject.digest)
          .map(({ descriptor }) => descriptor.digest)
          .toSorted(),
      );
    }));

  it('is at a mirror that is plain files, in a folder of its own', () =>
    follows({ kind: 'directory' }, mirror => {
      const version = join(folderOf(mirror), 'packs', mirror.tenant, 'hello', '1.0.0');
      const kinds = readdirSync(version).filter(name => name === 'referrers' || name === 'signatures');
      const held = kinds.flatMap(kind =>
        readdirSync(join(version, kind)).filter(hex => existsSync(join(version, kind, hex, 'manifest.json'))),
      );
      return Promise.resolve(held.map(hex => `sha256:${hex}`).toSorted());
    }));

  it.each(PEERS.filter(name => OciPeer.isWanted(name)))('is at a mirror in %s, among its referrers', name => {
    const host = peers.get(name)?.host ?? '';
    const there = new Upstream(host, `mirrors/${caller.tenant}/hello`);
    return follows({ kind: 'registry', location: `${host}/mirrors/${caller.tenant}` }, async () => {
      const listed = (await there.repository.referrers(subject.digest)).map(({ digest }) => digest);
      for (const digest of listed) {
        const manifest = await there.repository.manifest(digest);
        expect(manifest?.mediaType).toBe(OCI_MANIFEST);
        const { layers } = JSON.parse(manifest?.bytes.toString() ?? '') as { layers: { digest: Digest }[] };
        for (const layer of layers) expect(await there.repository.blobSize(layer.digest)).toBeGreaterThan(0);
      }
      return listed.toSorted();
    });
  });
});
