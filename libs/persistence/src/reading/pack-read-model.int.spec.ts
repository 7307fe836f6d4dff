import type { DataSource } from 'typeorm';
import { AT, publish, setUpTrust, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresPackReadModel } from './pack-read-model';

const OWN = { tenant: 'acme', namespace: 'acme' };

describe('PostgresPackReadModel', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let reads: PostgresPackReadModel;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    reads = new PostgresPackReadModel(await db.as('api-gateway'));
    await setUpTrust(publisher, 'acme');
    await publish(publisher, { packId: 'acme.hello', name: 'Hello World', version: '1.0.0', tags: ['demo'], channel: 'stable' });
    await publish(publisher, {
      packId: 'acme.hello',
      name: 'Hello World',
      version: '1.1.0',
      tags: ['demo', 'new'],
      author: 'Ann',
      license: 'MIT',
    });
    await publish(publisher, { packId: 'acme.hello', name: 'Hello World', version: '2.0.0-rc.1' });
    await publish(publisher, { packId: 'acme.rules', name: 'Rules', kind: 'PolicyPack', tags: ['demo'] });
    await publish(publisher, { packId: 'acme.preview', name: 'Preview', version: '0.1.0-alpha' });
    await publish(publisher, { packId: 'acme.gone', name: 'Gone' });
    await deprecate('acme.gone', '1.0.0');
    await publish(publisher, { tenant: 'globex', packId: 'globex.own', name: 'Other' });
  });
  afterAll(() => db.close());

  function deprecate(packId: string, version: string): Promise<void> {
    const note = { at: AT, actor: 'user:bob', reason: 'broken', replacement: 'acme.hello@1.1.0' };
    return unitOfWorkOn(publisher).run('acme', tx => tx.packs.deprecate('acme', packId, version, note));
  }
  const idsOf = async (query: Partial<Parameters<PostgresPackReadModel['listPacks']>[1]>) =>
    (await reads.listPacks(OWN, { limit: 50, ...query })).packs.map(pack => pack.packId);

  describe('lists packs', () => {
    it('each by its newest release', async () => {
      const { packs, next } = await reads.listPacks(OWN, { limit: 50 });
      expect(packs.map(pack => `${pack.packId} ${pack.version}`)).toEqual([
        'acme.hello 1.1.0',
        'acme.preview 0.1.0-alpha',
        'acme.rules 1.0.0',
      ]);
      expect(next).toBeNull();
      expect(packs[0]).toMatchObject({
        tenant: 'acme',
        type: 'task',
        name: 'Hello World',
        description: null,
        author: 'Ann',
        tags: ['demo', 'new'],
        channels: { stable: '1.0.0', edge: '2.0.0-rc.1' },
        deprecated: false,
        publishedAt: AT,
        metadata: { license: 'MIT' },
      });
    });

    it.each([
      [{ name: 'HELLO' }, ['acme.hello']],
      [{ name: 'world' }, ['acme.hello']],
      [{ name: 'acme.r' }, ['acme.rules']],
      [{ name: '%' }, []],
      [{ name: '_' }, []],
      [{ type: 'policy' }, ['acme.rules']],
      [{ type: 'bundle' }, []],
      [{ tag: 'demo' }, ['acme.hello', 'acme.rules']],
      [{ tag: 'new' }, ['acme.hello']],
      [{ tag: 'ne' }, []],
      [{ channel: 'stable' }, ['acme.hello']],
      [{ channel: 'beta' }, []],
      [{ type: 'task', tag: 'demo', channel: 'edge' }, ['acme.hello']],
      [{ deprecated: true }, ['acme.gone']],
      [{ deprecated: false, name: 'gone' }, []],
    ] as const)('filtered by %j', async (filter, found) => {
      expect(await idsOf(filter)).toEqual(found);
    });

    it('page by page, each pack once', async () => {
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 3; pages++) {
        const { packs, next } = await reads.listPacks(OWN, { limit: 1, ...(cursor && { cursor }) });
        seen.push(...packs.map(pack => pack.packId));
        expect(next).toBe(pages < 2 ? seen.at(-1) : null);
        cursor = next ?? undefined;
      }
      expect(seen).toEqual(['acme.hello', 'acme.preview', 'acme.rules']);
    });
  });

  it('shows a pack all of whose versions are deprecated when it is asked for by name', async () => {
    expect((await reads.findPack(OWN, 'acme.gone'))?.pack).toMatchObject({ version: '1.0.0', deprecated: true });
    expect(await reads.findPack(OWN, 'acme.absent')).toBeUndefined();
    expect(await reads.findPack(OWN, 'globex.own')).toBeUndefined();
  });

  describe('lists versions', () => {
    const VERSIONS = ['0.9.0', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-rc.1', '1.0.0', '1.9.0', '1.10.0', '10.0.0'];
    beforeAll(async () => {
      for (const version of VERSIONS.toSorted()) await publish(publisher, { packId: 'acme.many', version });
      await deprecate('acme.many', '1.9.0');
    });

    it('newest first, page by page, in SemVer order', async () => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await reads.listVersions(OWN, 'acme.many', { limit: 3, ...(cursor && { cursor }) });
        seen.push(...(page?.versions ?? []).map(one => one.version));
        cursor = page?.next ?? undefined;
      } while (cursor);
      expect(seen).toEqual(VERSIONS.filter(version => version !== '1.9.0').toReversed());
    });

    it('that are deprecated when asked for those', async () => {
      const page = await reads.listVersions(OWN, 'acme.many', { limit: 50, deprecated: true });
      expect(page).toMatchObject({
        next: null,
        versions: [{ version: '1.9.0', deprecation: { at: AT, by: 'user:bob', reason: 'broken', replacement: 'acme.hello@1.1.0' } }],
      });
    });

    it('as an empty page of a pack that is there, and as nothing of one that is not', async () => {
      expect(await reads.listVersions(OWN, 'acme.gone', { limit: 50 })).toEqual({ versions: [], next: null });
      expect(await reads.listVersions(OWN, 'acme.absent', { limit: 50 })).toBeUndefined();
    });
  });

  describe('finds a version', () => {
    it('with all that is needed to serve it', async () => {
      const { version } = await publish(publisher, { packId: 'acme.full', signatures: ['one', 'two'] });
      const found = await reads.findVersion(OWN, 'acme.full', '1.0.0');
      const { objectKey, digest, size } = version.bundle;
      expect(found).toMatchObject({
        bundle: { objectKey, digest, size, blockChecksums: 'AAAAAA==' },
        type: 'task',
        channel: 'edge',
        verifiedEpoch: 1,
        verdictPolicy: { name: 'default', version: 1 },
        trust: { epoch: 1, material: { size: 'trust of acme'.length } },
      });
      expect(found?.signatures.map(one => one.objectKey).toSorted()).toEqual(version.signatures.map(one => one.blob.objectKey).toSorted());
      expect(found?.view).toMatchObject({
        digest,
        manifestDigest: version.ociManifest.digest,
        publishedBy: 'user:alice',
        channels: ['edge'],
        deprecation: null,
        provenance: { attestations: [], source: 'stella/1.0' },
        manifest: version.manifest,
        verdict: { ...version.verdict, hash: version.verdictHash },
      });
      expect(JSON.stringify(found?.view)).not.toContain(objectKey);
    });

    it('by its exact name only', async () => {
      await publish(publisher, { packId: 'acme.exact', version: '1.0.0+a' });
      expect(await reads.findVersion(OWN, 'acme.exact', '1.0.0+a')).toBeDefined();
      for (const other of ['1.0.0', '1.0.0+A', 'v1.0.0+a', '']) expect(await reads.findVersion(OWN, 'acme.exact', other)).toBeUndefined();
    });
  });
});
