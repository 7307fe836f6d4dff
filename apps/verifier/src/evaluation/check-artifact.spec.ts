import { encodePackConfig, encodePackManifest, MEDIA_TYPES, sha256, type PackManifest, type VerdictFault } from '@packs/domain';
import { aPack, aSigner, InMemoryBlobStore } from '@packs/testing';
import { ReverifyVersion } from '../reverify-version/reverify-version';
import { VerifyBundle } from '../verify-bundle/verify-bundle';
import { checkArtifact } from './check-artifact';
import { CheckList } from './check-list';
import { aBundle, aPolicy, aVerifier } from './verifier.fixture';

const BUNDLE = aBundle();
const PACK: PackManifest = {
  ...aPack(),
  spec: { steps: [{ id: 'greet', run: ['echo'] }] },
};
const CONFIG = encodePackConfig(PACK);
const config = { mediaType: MEDIA_TYPES.packConfig, digest: sha256(CONFIG), size: CONFIG.length };
const layer = { mediaType: MEDIA_TYPES.packBundle, digest: sha256(BUNDLE), size: BUNDLE.length };
const good = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack, config, layers: [layer] };

describe('the OCI manifest of a bundle', () => {
  async function check(body: unknown, settled = true): Promise<readonly [string, VerdictFault | undefined]> {
    const blobs = new InMemoryBlobStore();
    const manifest = blobs.put(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
    const list = new CheckList();
    const found = await checkArtifact(blobs, { bundle: blobs.put(BUNDLE), manifest }, list, settled ? config.digest : undefined);
    return [found === 'refused' ? 'refused' : (found?.digest ?? 'none'), list.faults[0]];
  }

  it('is known by its own bytes, whatever else it says', async () => {
    const body = { ...good, annotations: { by: 'oras' }, custom: true };
    expect(await check(body)).toEqual([sha256(JSON.stringify(body)), undefined]);
  });

  it.each<[string, unknown, string]>([
    ['another artifact type', { ...good, artifactType: 'application/vnd.example' }, '/artifactType'],
    ['another config type', { ...good, config: { ...config, mediaType: 'text/plain' } }, '/config/mediaType'],
    ['another config', { ...good, config: { ...config, digest: sha256('else') } }, '/config/digest'],
    ['another layer', { ...good, layers: [{ ...layer, digest: sha256('else') }] }, '/layers/0/digest'],
    ['another size', { ...good, layers: [{ ...layer, size: 1 }] }, '/layers/0/size'],
    ['a second layer', { ...good, layers: [layer, layer] }, '/layers'],
    ['no layer', { ...good, layers: [] }, '/layers'],
    ['layers that are none', { ...good, layers: [null] }, '/layers'],
    ['a config twice', JSON.stringify(good).replace('{', `{"config":${JSON.stringify(config)},`), '/artifactType'],
    ['no JSON', 'x', '/artifactType'],
  ])('is refused with %s', async (_, body, pointer) => {
    expect(await check(body)).toEqual(['refused', expect.objectContaining({ code: 'ERR_PACK_MANIFEST_MISMATCH', pointer })]);
  });

  it('need not name a config that the bundle has settled before', async () => {
    expect((await check({ ...good, config: { ...config, digest: sha256('else') } }, false))[0]).toMatch(/^sha256:/);
  });

  it('is refused when its stored bytes have changed', async () => {
    const blobs = new InMemoryBlobStore();
    const manifest = blobs.put(Buffer.from(JSON.stringify(good)));
    blobs.objects.set(manifest.objectKey, Buffer.from(JSON.stringify({ ...good, a: 1 })));
    const list = new CheckList();
    expect(await checkArtifact(blobs, { bundle: blobs.put(BUNDLE), manifest }, list)).toBe('refused');
    expect(list.checks).toMatchObject([{ id: 'artifact', outcome: 'fail', reason: 'ERR_PACK_DIGEST_MISMATCH' }]);
  });
});

describe('a verdict with the OCI manifest', () => {
  const release = aSigner('release');

  function setUp() {
    const verifier = aVerifier();
    const bundle = verifier.blobs.put(BUNDLE);
    const encoded = encodePackManifest(PACK, config, layer);
    const manifest = verifier.blobs.put(encoded.bytes);
    const common = {
      tenant: 'acme',
      channel: 'edge',
      ...{ bundle, manifest },
      signatures: [verifier.signature(release.bundle(encoded.bytes))],
      policies: [aPolicy()],
      trust: verifier.trust([release.key]),
      evaluatedAt: '2026-02-01T00:00:00.000Z',
    };
    return { ...verifier, common };
  }

  it('accepts what signed the manifest, names it, and stores no other config', async () => {
    const { blobs, signatures, scans, common } = setUp();
    const reply = await new VerifyBundle(blobs, signatures, scans).execute({ ...common, packId: 'acme.hello', version: null });
    expect(reply.verdict).toMatchObject({
      outcome: 'accepted',
      subject: { bundle: common.bundle.digest, manifest: common.manifest.digest },
    });
    expect(reply.verdict.checks.map(({ id, outcome }) => `${id} ${outcome}`)).toContain('artifact pass');
    expect(reply.pack?.config).toBeNull();
  });

  it('accepts it again after a change of keys that leaves the signer', async () => {
    const { blobs, signatures, common } = setUp();
    const { verdict } = await new ReverifyVersion(blobs, signatures).execute({ ...common, packType: 'task' });
    expect(verdict).toMatchObject({
      outcome: 'accepted',
      subject: { manifest: common.manifest.digest },
      identities: [{ name: 'release' }],
    });
  });

  it('rejects it without the manifest, and with that of another bundle', async () => {
    const { blobs, signatures, common } = setUp();
    const reverify = new ReverifyVersion(blobs, signatures);
    const { manifest: _, ...without } = common;
    expect((await reverify.execute({ ...without, packType: 'task' })).verdict.outcome).toBe('rejected');
    const other = blobs.put(Buffer.from(JSON.stringify({ ...good, layers: [{ ...layer, digest: sha256('else') }] })));
    const { verdict } = await reverify.execute({ ...common, packType: 'task', manifest: other });
    expect(verdict.checks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      'digest pass',
      'artifact fail',
      'signature skipped',
      'policy skipped',
    ]);
  });

  it('keeps the config of an unsigned pack that may wait, and of no other', async () => {
    const { blobs, signatures, scans, common } = setUp();
    const { manifest: _, ...without } = common;
    const verify = (unsigned: 'pending' | 'reject') =>
      new VerifyBundle(blobs, signatures, scans).execute({
        ...without,
        packId: null,
        version: null,
        signatures: [],
        policies: [aPolicy({ unsigned })],
      });
    expect((await verify('pending')).pack?.config).toMatchObject({ digest: config.digest });
    expect((await verify('reject')).pack?.config).toBeNull();
    expect((await verify('pending')).verdict.outcome).toBe('rejected');
  });
});
