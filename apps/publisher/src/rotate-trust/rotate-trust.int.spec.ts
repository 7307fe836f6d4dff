import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256, type TrustMaterial } from '@packs/domain';
import { aRootKey, aSigner, aTrustBundle, type TrustBundleChanges } from '@packs/testing';
import { encodeTrustMaterial, keyIdOf, parseTrustMaterial, readTrustBundle } from '@packs/sigstore';
import { SpecPublisher } from '../publisher.fixture';
import { UpdateTrust } from '../update-trust/update-trust';
import { RotateTrust } from './rotate-trust';
import { TrustBundleFile } from './trust-bundle-file';

const [a, b, c] = [aRootKey('a'), aRootKey('b'), aRootKey('c')];
const release = aSigner('release').key;
const MATERIAL: TrustMaterial = { keys: [release] };
const ROOT = { root: [a, b], threshold: 2 };

describe('RotateTrust', () => {
  let publisher: SpecPublisher;
  let folder: string;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
    folder = mkdtempSync(path.join(tmpdir(), 'rotate-trust-'));
  });
  beforeEach(() => publisher.reset());
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await publisher.close();
  });

  async function rotate(changes: TrustBundleChanges = {}, { file, tenant = 'acme' }: { file?: string; tenant?: string } = {}) {
    const bundle = aTrustBundle({ ...ROOT, material: MATERIAL, ...changes });
    const material = encodeTrustMaterial(readTrustBundle(bundle).bundle.material);
    const useCase = new RotateTrust(publisher.unitOfWork, publisher.blobs, publisher.clock, new TrustBundleFile(file, publisher.clock));
    const request = { tenant, actor: 'user:root', source: null };
    return useCase.execute({
      ...request,
      bundle: await publisher.store(bundle.toString()),
      material: await publisher.store(material.toString()),
    });
  }

  const state = () =>
    publisher.rows(
      `select (select json_agg(t) from registry.tenants t) as tenants, (select json_agg(b) from registry.trust_bundles b) as bundles,
         (select json_agg(w) from registry.trust_watches w) as watches, (select count(*) from registry.outbox) as events`,
    );

  it('puts the material of a bundle in force, with what it came from, in one transaction with its events', async () => {
    const digest = sha256(encodeTrustMaterial(MATERIAL));
    expect(await rotate()).toMatchObject({ version: 1, epoch: 1, importedBy: 'user:root', importedAt: '2026-01-17T08:00:00.000Z' });
    expect(await publisher.rows('select trust_epoch, trust_digest from registry.tenants')).toEqual([
      { trust_epoch: '1', trust_digest: digest },
    ]);
    const events = await publisher.events();
    expect(events.map(({ type }) => type)).toEqual(['registry.trust.rotated', 'registry.trust.updated']);
    expect(events[0]?.data).toMatchObject({
      bundleVersion: 1,
      epoch: 1,
      material: digest,
      rootKeyIds: [keyIdOf(a.key), keyIdOf(b.key)],
      threshold: 2,
    });
    expect(events[1]?.data).toMatchObject({ epoch: 1, digest, keyIds: [keyIdOf(release)], actor: 'user:root' });
  });

  it('raises no epoch when the material is what there was', async () => {
    await rotate();
    expect(await rotate({ version: 2, validUntil: '2028-01-01T00:00:00.000Z' })).toMatchObject({ version: 2, epoch: 1 });
    expect((await publisher.events()).map(({ type }) => type)).toEqual([
      'registry.trust.rotated',
      'registry.trust.updated',
      'registry.trust.rotated',
    ]);
  });

  it('takes other root keys only from the old ones and the new', async () => {
    await rotate();
    expect(await rotate({ version: 2, root: [c], threshold: 1, signers: [a, b, c] })).toMatchObject({ version: 2 });
    await expect(rotate({ version: 3, root: [a, b], threshold: 2, signers: [a, b] })).rejects.toMatchObject({
      code: 'ERR_TRUST_BUNDLE_UNSIGNED',
    });
    expect(await rotate({ version: 3, root: [c], threshold: 1 })).toMatchObject({ version: 3 });
  });

  it.each<[string, TrustBundleChanges, string]>([
    ['signed by too few', { version: 2, signers: [a] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['signed by others', { version: 2, root: [c], threshold: 1 }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['that is older', { version: 1, material: { keys: [] } }, 'ERR_TRUST_BUNDLE_ROLLBACK'],
    ['that is the same', {}, 'ERR_TRUST_BUNDLE_ROLLBACK'],
    ['that is over', { version: 2, validUntil: '2026-01-17T07:59:59.999Z' }, 'ERR_TRUST_BUNDLE_EXPIRED'],
    ['that is of the future', { version: 2, validFrom: '2026-01-18T00:00:00.000Z' }, 'ERR_TRUST_BUNDLE_EARLY'],
    ['of another tenant', { version: 2, tenant: 'globex' }, 'ERR_TRUST_BUNDLE_TENANT'],
  ])('refuses one %s and changes nothing', async (_, changes, code) => {
    await rotate();
    const before = await state();
    await expect(rotate(changes)).rejects.toMatchObject({ code });
    expect(await state()).toEqual(before);
  });

  it('refuses material that is not that of the bundle', async () => {
    const useCase = new RotateTrust(
      publisher.unitOfWork,
      publisher.blobs,
      publisher.clock,
      new TrustBundleFile(undefined, publisher.clock),
    );
    const bundle = await publisher.store(aTrustBundle({ ...ROOT, material: MATERIAL }).toString());
    const material = await publisher.store(encodeTrustMaterial({ keys: [] }).toString());
    await expect(useCase.execute({ tenant: 'acme', actor: 'user:root', source: null, bundle, material })).rejects.toMatchObject({
      code: 'ERR_PACK_TRUST_INVALID',
    });
  });

  it('takes one of two of the same version that come at once', async () => {
    const outcomes = await Promise.allSettled([rotate({ version: 1 }), rotate({ version: 1, material: { keys: [] } })]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('asks the root keys of the installation’s file for the first one of a tenant it speaks for', async () => {
    const file = path.join(folder, 'trust.json');
    writeFileSync(file, aTrustBundle({ root: [c] }));
    await expect(rotate({}, { file })).rejects.toMatchObject({ code: 'ERR_TRUST_BUNDLE_UNSIGNED' });
    expect(await rotate({ tenant: 'globex' }, { file, tenant: 'globex' })).toMatchObject({ version: 1 });
    expect(await rotate({ signers: [a, b, c] }, { file })).toMatchObject({ version: 1 });
    // From then on those of the bundle in force.
    expect(await rotate({ version: 2 }, { file })).toMatchObject({ version: 2 });
    writeFileSync(file, 'damaged');
    await expect(rotate({ version: 3 }, { file })).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
  });
});

describe('UpdateTrust with what it replaces', () => {
  let publisher: SpecPublisher;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
    await publisher.reset();
  });
  afterAll(() => publisher.close());

  const put = async (material: TrustMaterial, expected?: string) =>
    new UpdateTrust(publisher.unitOfWork, publisher.clock).execute({
      ...{ tenant: 'acme', actor: 'user:root', source: null, keyIds: [] },
      material: await publisher.store(encodeTrustMaterial(parseTrustMaterial(material)).toString()),
      ...(expected !== undefined && { expected: expected as never }),
    });

  it('lets one of those through who read the same', async () => {
    const { digest } = await put({ keys: [release] });
    const revoking = (digit: string): TrustMaterial => ({
      keys: [release],
      revoked: { digests: [{ digest: `sha256:${digit.repeat(64)}`, reason: 'test' }] },
    });
    const outcomes = await Promise.allSettled(['1', '2', '3', '4'].map(digit => put(revoking(digit), digest)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ERR_PACK_PRECONDITION', details: { epoch: 2 } });
    }
    expect(await publisher.rows('select trust_epoch from registry.tenants')).toEqual([{ trust_epoch: '2' }]);
  });
});
