import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256, type TrustMaterial } from '@packs/domain';
import { aRootKey, aSigner, aTrustBundle, type TrustBundleChanges } from '@packs/testing';
import { encodeTrustMaterial, keyIdOf } from '@packs/sigstore';
import { SpecPublisher } from '../publisher.fixture';
import { RotateTrust } from '../rotate-trust/rotate-trust';
import { TrustBundleFile } from '../rotate-trust/trust-bundle-file';
import { UpdateTrust } from '../update-trust/update-trust';
import { WatchTrust } from './watch-trust';

const START = '2026-01-17T08:00:00.000Z';
const DAY = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.parse(START) + days * DAY).toISOString();

const release = aSigner('release').key;
const root = aRootKey('root');

describe('WatchTrust', () => {
  let publisher: SpecPublisher;
  let folder: string;
  let file: string;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
    folder = mkdtempSync(path.join(tmpdir(), 'watch-trust-'));
    file = path.join(folder, 'trust.json');
  });
  beforeEach(() => publisher.reset());
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await publisher.close();
  });

  const bundleFile = (used?: string): TrustBundleFile => new TrustBundleFile(used, publisher.clock);
  const look = (used?: string): Promise<number> =>
    new WatchTrust(publisher.unitOfWork, publisher.blobs, publisher.clock, bundleFile(used), [30, 7, 1]).execute();

  async function put(material: TrustMaterial, tenant = 'acme'): Promise<void> {
    const stored = await publisher.store(encodeTrustMaterial(material).toString());
    const request = { tenant, actor: 'user:root', source: null, keyIds: [], material: stored };
    await new UpdateTrust(publisher.unitOfWork, publisher.clock).execute(request);
  }

  async function rotate(changes: TrustBundleChanges): Promise<void> {
    const bundle = await publisher.store(aTrustBundle({ root: [root], ...changes }).toString());
    const material = await publisher.store(encodeTrustMaterial(changes.material ?? { keys: [] }).toString());
    const useCase = new RotateTrust(publisher.unitOfWork, publisher.blobs, publisher.clock, bundleFile());
    await useCase.execute({ tenant: 'acme', actor: 'user:root', source: null, bundle, material });
  }

  /** What was told since the last time it was asked. */
  let told = 0;
  async function news() {
    const events = await publisher.events();
    const found = events.slice(told).filter(({ data }) => data['actor'] === 'system:trust');
    told = events.length;
    return found;
  }
  beforeEach(() => {
    told = 0;
  });

  const epochs = async () => (await publisher.rows('select trust_epoch::int as epoch from registry.tenants')).map(({ epoch }) => epoch);

  describe('a key’s times', () => {
    it('raise the epoch once when it begins and once when it ends to count', async () => {
      await put({ keys: [{ ...release, notBefore: inDays(1), notAfter: inDays(60) }] });
      await look();
      expect([await epochs(), await news()]).toEqual([[1], []]);
      publisher.clock.advance(DAY - 1);
      await look();
      expect(await epochs()).toEqual([1]);
      publisher.clock.advance(1);
      expect(await Promise.all([look(), look(), look()])).toEqual(expect.arrayContaining([1]));
      expect(await epochs()).toEqual([2]);
      const [begun, ...others] = await news();
      expect([begun?.type, begun?.data['epoch'], begun?.data['keyIds'], others]).toEqual([
        'registry.trust.updated',
        2,
        [keyIdOf(release)],
        [],
      ]);
      publisher.clock.advance(59 * DAY);
      await look();
      expect(await epochs()).toEqual([2]);
      publisher.clock.advance(1);
      await look();
      await look();
      expect(await epochs()).toEqual([3]);
      expect((await news()).filter(({ type }) => type === 'registry.trust.updated').map(({ data }) => data['keyIds'])).toEqual([[]]);
    });

    it('that were over when it was put in raise nothing', async () => {
      await put({ keys: [{ ...release, notBefore: inDays(-9), notAfter: inDays(-1) }] });
      await look();
      expect(await epochs()).toEqual([1]);
    });

    it('are not lost to a change that came between', async () => {
      await put({ keys: [{ ...release, notAfter: inDays(1) }] });
      await look();
      publisher.clock.advance(DAY);
      await put({ keys: [{ ...release, notAfter: inDays(1) }, aSigner('other').key] });
      publisher.clock.advance(1);
      await look();
      expect(await epochs()).toEqual([3]);
    });
  });

  describe('what comes to its end', () => {
    it('is told thirty days, seven days and one day before, and at the end, once each and by one replica', async () => {
      await put({ keys: [{ ...release, notAfter: inDays(31) }] });
      const stages: unknown[] = [];
      for (let day = 0; day <= 33; day++) {
        await Promise.all([look(), look()]);
        const endings = (await news()).filter(({ type }) => type === 'registry.trust.ending');
        stages.push(...endings.map(({ data }) => [day, data['endings']]));
        publisher.clock.advance(DAY);
      }
      const key = { kind: 'key', name: 'release', at: inDays(31) };
      expect(stages).toEqual([
        [1, [{ ...key, days: 30 }]],
        [24, [{ ...key, days: 7 }]],
        [30, [{ ...key, days: 1 }]],
        [31, [{ ...key, days: 0 }]],
      ]);
      expect(await publisher.unitOfWork.run('', tx => tx.trustWatches.totals())).toEqual({ drifted: 0, endings: { 0: 1 } });
    });

    it('is the bundle in force as well, until a newer one comes', async () => {
      await rotate({ version: 1, validUntil: inDays(5) });
      await look();
      expect((await news()).map(({ type, data }) => [type, data['endings']])).toEqual([
        ['registry.trust.ending', [{ kind: 'bundle', name: 'version 1', at: inDays(5), days: 7 }]],
      ]);
      await rotate({ version: 2, validUntil: inDays(300) });
      await look();
      expect(await news()).toEqual([]);
      expect(await publisher.unitOfWork.run('', tx => tx.trustWatches.totals())).toEqual({ drifted: 0, endings: {} });
    });
  });

  describe('the file of the installation', () => {
    const expected: TrustMaterial = { keys: [release] };
    const material = sha256(encodeTrustMaterial(expected));
    const write = (changes: TrustBundleChanges = {}): void =>
      writeFileSync(file, aTrustBundle({ root: [root], material: expected, ...changes }));

    it('is compared with what a tenant trusts: each change is told once, and nothing of other tenants', async () => {
      write();
      await put({ keys: [] });
      await put({ keys: [] }, 'globex');
      await Promise.all([look(file), look(file)]);
      const active = sha256(encodeTrustMaterial({ keys: [] }));
      expect((await news()).map(({ type, data }) => [type, data])).toEqual([
        ['registry.trust.drifted', expect.objectContaining({ tenant: 'acme', active, expected: material, bundleVersion: 1 })],
      ]);
      await look(file);
      expect(await news()).toEqual([]);
      await put(expected);
      await look(file);
      expect((await news()).map(({ type }) => type)).toEqual(['registry.trust.restored']);
    });

    it('tells of a tenant that has never trusted anything', async () => {
      write();
      await look(file);
      await look(file);
      expect((await news()).map(({ type }) => type)).toEqual(['registry.trust.drifted']);
    });

    it('that is replaced is compared anew, and for everybody when it says so', async () => {
      write();
      await put(expected);
      await put(expected, 'globex');
      await look(file);
      write({ tenant: '*', version: 2, material: { keys: [] } });
      await look(file);
      expect((await news()).map(({ type, data }) => [type, data['tenant']])).toEqual([
        ['registry.trust.drifted', 'acme'],
        ['registry.trust.drifted', 'globex'],
      ]);
      expect(await publisher.unitOfWork.run('', tx => tx.trustWatches.totals())).toEqual({ drifted: 2, endings: {} });
      await look();
      expect((await news()).map(({ type }) => type)).toEqual(['registry.trust.restored', 'registry.trust.restored']);
    });

    it('that cannot be read keeps nothing else from being told, and takes back no drift', async () => {
      write();
      await put({ keys: [{ ...release, notAfter: inDays(3) }] });
      await look(file);
      expect((await news()).map(({ type }) => type)).toEqual(['registry.trust.drifted', 'registry.trust.ending']);
      writeFileSync(file, 'damaged');
      publisher.clock.advance(2 * DAY);
      await expect(look(file)).rejects.toMatchObject({ code: 'ERR_TRUST_BUNDLE_INVALID' });
      expect((await news()).map(({ type }) => type)).toEqual(['registry.trust.ending']);
      expect(await publisher.unitOfWork.run('', tx => tx.trustWatches.totals())).toEqual({ drifted: 1, endings: { 1: 1 } });
    });

    it('signed by others than its own root keys is not taken', async () => {
      write({ signers: [aRootKey('other')] });
      await expect(look(file)).rejects.toMatchObject({ code: 'ERR_TRUST_BUNDLE_UNSIGNED' });
    });
  });
});
