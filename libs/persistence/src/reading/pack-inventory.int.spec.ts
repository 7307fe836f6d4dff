import type { Selection } from '@packs/contracts';
import { MEDIA_TYPES, type Digest } from '@packs/domain';
import type { InventoryVersion } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from '../content-catalog';
import { aStoredBlob, AT, attest, publish, setUpTrust, SpecDatabase, unitOfWorkOn, type VersionChanges } from '../persistence.fixture';
import { PostgresPackInventory } from './pack-inventory';

describe('PostgresPackInventory', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let inventory: PostgresPackInventory;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    inventory = new PostgresPackInventory(await db.as('mirror-worker'));
  });
  afterAll(() => db.close());

  async function all(tenant: string, selection: Selection = {}): Promise<InventoryVersion[]> {
    const found: InventoryVersion[] = [];
    for await (const version of inventory.versions(tenant, selection)) found.push(version);
    return found;
  }
  const named = (versions: readonly { packId: string; version: string }[]) => versions.map(({ packId, version }) => `${packId} ${version}`);

  it('hands on everything a version consists of, with what its verdict rests on', async () => {
    await setUpTrust(publisher, 'acme');
    const { version } = await publish(publisher, { tenant: 'acme', tenantVisibility: ['globex'] });
    await attest(publisher, version);
    const [found, ...others] = await all('acme');
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      ...{
        tenant: 'acme',
        packId: 'acme.hello',
        version: '1.0.0',
        type: 'task',
        channels: ['edge'],
        lifecycle: 'active',
        deprecation: null,
      },
      ...{ digest: version.bundle.digest, visibility: ['globex'], publishedAt: AT },
      manifest: { digest: version.ociManifest.digest, size: version.ociManifest.size, mediaType: MEDIA_TYPES.ociManifest },
      verification: {
        epoch: 1,
        channel: 'edge',
        policy: { name: 'default', version: 1 },
        trust: { epoch: 1, material: { size: expect.any(Number) as number } },
      },
    });
    expect(found?.blobs).toEqual([
      { ...version.config, mediaType: MEDIA_TYPES.packConfig },
      { ...(version.blobs.find(({ digest }) => digest === version.bundle.digest) ?? {}), mediaType: MEDIA_TYPES.packBundle },
    ]);
    const [signature] = version.signatures;
    const signed = found?.referrers.find(({ kind }) => kind === 'signature');
    expect(signed).toMatchObject({
      verification: null,
      manifest: { digest: signature?.manifest.digest, artifactType: MEDIA_TYPES.sigstoreBundle },
    });
    expect(signed?.blobs.map(({ digest, mediaType }) => [digest, mediaType])).toEqual([
      [signature?.blob.digest, MEDIA_TYPES.sigstoreBundle],
    ]);
    expect(found?.verification.signatures.map(({ digest }) => digest)).toEqual([signature?.blob.digest]);
    const attested = found?.referrers.filter(({ kind }) => kind === 'attestation');
    expect(attested).toMatchObject([
      {
        manifest: { artifactType: MEDIA_TYPES.dsseEnvelope },
        blobs: [{ mediaType: MEDIA_TYPES.dsseEnvelope }],
        verification: { epoch: 1, policy: { name: 'default', version: 1 }, predicateType: 'https://slsa.dev/provenance/v1', addedAt: AT },
      },
    ]);
    expect(await all('globex')).toEqual([]);
  });

  describe('selects', () => {
    const tenant = 'selecting';
    const versions: VersionChanges[] = [
      { packId: 'a', version: '1.0.0', tags: ['x'] },
      { packId: 'a', version: '1.10.0', channel: 'beta' },
      { packId: 'a', version: '1.9.0', channel: 'beta', tags: ['x', 'y'] },
      { packId: 'a-b', version: '1.0.0' },
      { packId: 'a_b', version: '1.0.0', kind: 'PolicyPack' },
      { packId: 'axb', version: '1.0.0' },
    ];
    beforeAll(async () => {
      for (const version of versions) await publish(publisher, { tenant, ...version });
    });

    it('everything, in the order of packs and versions', async () => {
      expect(named(await all(tenant))).toEqual(['a 1.0.0', 'a 1.9.0', 'a 1.10.0', 'a-b 1.0.0', 'a_b 1.0.0', 'axb 1.0.0']);
    });

    it.each<[string, Selection, string[]]>([
      ['a channel, with versions that are no longer its head', { channels: ['beta'] }, ['a 1.9.0', 'a 1.10.0']],
      ['types', { types: ['policy', 'bundle'] }, ['a_b 1.0.0']],
      ['a pack', { packIds: ['a'] }, ['a 1.0.0', 'a 1.9.0', 'a 1.10.0']],
      ['packs by the beginning of their ids, in which _ is a character like any other', { packIds: ['a_*'] }, ['a_b 1.0.0']],
      ['all packs', { packIds: ['*'], types: ['policy'] }, ['a_b 1.0.0']],
      ['tags', { tags: ['x', 'z'] }, ['a 1.0.0', 'a 1.9.0']],
      ['what all members agree on', { channels: ['beta'], tags: ['x'] }, ['a 1.9.0']],
      ['nothing', { packIds: ['b*'] }, []],
    ])('%s', async (_, selection, expected) => {
      expect(named(await all(tenant, selection))).toEqual(expected);
      expect((await inventory.size(tenant, selection)).versions).toBe(expected.length);
      for (const { packId = '', version = '' } of versions) {
        expect([packId, version, await inventory.includes(tenant, selection, packId, version)]).toEqual([
          packId,
          version,
          expected.includes(`${packId} ${version}`),
        ]);
      }
    });

    it('heads of the selected versions', async () => {
      expect(await inventory.heads(tenant, { packIds: ['a'] })).toEqual([
        { packId: 'a', channel: 'beta', version: '1.10.0' },
        { packId: 'a', channel: 'edge', version: '1.0.0' },
      ]);
      expect(await inventory.heads(tenant, { tags: ['y'] })).toEqual([]);
    });
  });

  it('reads on where a page ends, also in the middle of a pack', async () => {
    for (let n = 0; n < 105; n++) await publish(publisher, { tenant: 'large', packId: n < 90 ? 'a' : 'b', version: `1.0.${n}` });
    const found = named(await all('large'));
    expect(found).toEqual([...Array(105).keys()].map(n => `${n < 90 ? 'a' : 'b'} 1.0.${n}`));
  });

  it('has what clients have attached, but no signature that nobody verified', async () => {
    const { version } = await publish(publisher, { tenant: 'attached' });
    const blobs = ['sbom', 'sbom manifest', 'unknown', 'unknown manifest'].map(aStoredBlob);
    await new PostgresContentCatalog(publisher).record(blobs);
    const [sbom, sbomManifest, unknown, unknownManifest] = blobs;
    if (!sbom || !sbomManifest || !unknown || !unknownManifest) throw new Error('nothing was stored');
    const common = {
      tenant: 'attached',
      repository: 'acme.hello',
      actor: 'client:x',
      at: AT,
      taggedSubject: null,
      tag: null,
      newBlobs: [],
    };
    const manifest = { mediaType: MEDIA_TYPES.ociManifest, subject: version.ociManifest.digest, annotations: {} };
    const size = (await inventory.size('attached', {})).bytes;
    await unitOfWorkOn(publisher).run('attached', async tx => {
      const attach = (digest: Digest, artifactType: string, blob: Digest) =>
        tx.repositories.addReferrer({ ...common, manifest: { ...manifest, digest, artifactType }, blobs: [blob] });
      expect(await attach(sbomManifest.digest, 'text/spdx', sbom.digest)).toBe(true);
      expect(await attach(sbomManifest.digest, 'text/spdx', sbom.digest)).toBe(false);
      expect(await attach(unknownManifest.digest, MEDIA_TYPES.rawSignature, unknown.digest)).toBe(true);
    });
    const [found] = await all('attached');
    expect(found?.referrers.filter(({ manifest: { digest } }) => digest === unknownManifest.digest)).toEqual([]);
    expect(found?.referrers.filter(({ kind }) => kind === 'referrer')).toMatchObject([
      {
        manifest: { digest: sbomManifest.digest, artifactType: 'text/spdx' },
        blobs: [{ digest: sbom.digest, mediaType: 'application/octet-stream' }],
        verification: null,
      },
    ]);
    expect((await inventory.size('attached', {})).bytes).toBe(size + sbom.size + sbomManifest.size);
  });

  it('counts a blob that several versions share once', async () => {
    const { version } = await publish(publisher, { tenant: 'sized' });
    const found = await all('sized');
    const sizes = found.flatMap(({ manifest, blobs, referrers }) => [
      manifest,
      ...blobs,
      ...referrers.flatMap(one => [one.manifest, ...one.blobs]),
    ]);
    const total = new Map(sizes.map(({ digest, size }) => [digest, size]));
    expect(await inventory.size('sized', {})).toEqual({ versions: 1, bytes: [...total.values()].reduce((sum, size) => sum + size, 0) });
    expect(total.has(version.bundle.digest)).toBe(true);
  });

  it('tells what a version has become', async () => {
    await publish(publisher, { tenant: 'ended' });
    await unitOfWorkOn(publisher).run('ended', tx =>
      tx.packs.deprecate('ended', 'acme.hello', '1.0.0', { at: AT, actor: 'user:bob', reason: 'slow', replacement: 'acme.hi' }),
    );
    expect(await all('ended')).toMatchObject([
      { lifecycle: 'deprecated', deprecation: { at: AT, by: 'user:bob', reason: 'slow', replacement: 'acme.hi' } },
    ]);
  });
});
