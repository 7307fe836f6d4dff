import { DEFAULT_SCANNING, sha256, type ScanSettings } from '@packs/domain';
import { DeprecateVersion } from './deprecate-version/deprecate-version';
import { SpecPublisher } from './publisher.fixture';
import { UpdatePolicy } from './update-policy/update-policy';
import { UpdateTrust } from './update-trust/update-trust';
import { UpdateScanning } from './update-scanning/update-scanning';
import { UpdateVisibility } from './update-visibility/update-visibility';

const FROM = { tenant: 'acme', actor: 'user:root', source: 'stella/1.0' };

describe('changes of the registry', () => {
  let publisher: SpecPublisher;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
  });
  beforeEach(() => publisher.reset());
  afterAll(() => publisher.close());

  describe('DeprecateVersion', () => {
    const version = { ...FROM, packId: 'acme.hello', version: '1.0.0', reason: 'broken', replacement: 'acme.hello@1.0.1' };
    const execute = (changes: Partial<typeof version> = {}) =>
      new DeprecateVersion(publisher.unitOfWork, publisher.clock).execute({ ...version, ...changes });

    it('marks the version once, with an event', async () => {
      const published = await publisher.publish();
      publisher.clock.advance(1000);
      expect(await execute()).toEqual({ deprecatedAt: '2026-01-17T08:00:01.000Z', changed: true });
      publisher.clock.advance(1000);
      expect(await execute({ reason: 'another', actor: 'user:bob' })).toEqual({ deprecatedAt: '2026-01-17T08:00:01.000Z', changed: false });
      const events = await publisher.events();
      expect(events.map(event => event.type)).toEqual(['pack.version.published', 'pack.version.deprecated']);
      expect(events[1]?.data).toMatchObject({
        actor: 'user:root',
        reason: 'broken',
        replacement: 'acme.hello@1.0.1',
        digest: 'digest' in published ? published.digest : '',
        metadataHash: events[0]?.data['metadataHash'],
        signatures: events[0]?.data['signatures'],
      });
      expect(await publisher.rows('select deprecated_by, deprecation_reason from registry.pack_versions')).toEqual([
        { deprecated_by: 'user:root', deprecation_reason: 'broken' },
      ]);
    });

    it('is one change when many ask at once', async () => {
      await publisher.publish();
      const replies = await Promise.all(Array.from({ length: 8 }, () => execute()));
      expect(replies.filter(reply => reply.changed)).toHaveLength(1);
      expect(await publisher.events()).toHaveLength(2);
    });

    it('leaves the number taken', async () => {
      await publisher.publish();
      await execute();
      await expect(publisher.publish({ content: 'other' })).rejects.toMatchObject({ code: 'ERR_PACK_VERSION_EXISTS' });
      expect((await publisher.publish()).outcome).toBe('already-published');
    });

    it.each([
      ['a version nobody published', { version: '1.0.1' }],
      ['another spelling of it', { version: '1.0.0+build' }],
      ['a pack nobody published', { packId: 'acme.absent' }],
      ['another tenant’s version', { tenant: 'globex' }],
    ])('does not find %s', async (_, changes) => {
      await publisher.publish({ metadata: { tenantVisibility: [] } });
      await expect(execute(changes)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      expect(await publisher.events()).toHaveLength(1);
    });
  });

  describe('UpdateTrust', () => {
    const execute = async (content: string, tenant = 'acme') =>
      new UpdateTrust(publisher.unitOfWork, publisher.clock).execute({
        ...FROM,
        tenant,
        material: await publisher.store(content),
        keyIds: [sha256(content)],
      });

    it('raises the epoch with each change and never otherwise', async () => {
      expect(await execute('one')).toEqual({ epoch: 1, digest: sha256('one'), changed: true });
      expect(await execute('two')).toMatchObject({ epoch: 2, changed: true });
      expect(await execute('two')).toMatchObject({ epoch: 2, changed: false });
      expect(await execute('one')).toMatchObject({ epoch: 3, changed: true });
      expect(await execute('one', 'globex')).toMatchObject({ epoch: 1 });
      expect((await publisher.events()).map(event => [event.type, event.data['epoch'], event.data['tenant']])).toEqual([
        ['registry.trust.updated', 1, 'acme'],
        ['registry.trust.updated', 2, 'acme'],
        ['registry.trust.updated', 3, 'acme'],
        ['registry.trust.updated', 1, 'globex'],
      ]);
    });

    it('gives changes at the same time an epoch each', async () => {
      const replies = await Promise.all(Array.from({ length: 10 }, (_, at) => execute(`keys ${at}`)));
      expect(replies.map(reply => reply.epoch).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      const last = replies.find(reply => reply.epoch === 10);
      expect(await publisher.rows('select trust_epoch, trust_digest from registry.tenants')).toEqual([
        { trust_epoch: '10', trust_digest: last?.digest },
      ]);
    });
  });

  describe('UpdatePolicy', () => {
    const policy = { ...FROM, name: 'default', channel: null, packType: null, rule: { keyRef: 'release' }, unsigned: 'reject' as const };
    const execute = (changes: Partial<Omit<typeof policy, 'channel' | 'unsigned'>> & { channel?: string; unsigned?: 'allow' } = {}) =>
      new UpdatePolicy(publisher.unitOfWork, publisher.clock).execute({ ...policy, ...changes });
    const active = () => publisher.rows('select name, version from registry.policies where active order by name');

    it('writes the next version and keeps the earlier ones', async () => {
      expect(await execute()).toEqual({
        policy: { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' },
        changed: true,
      });
      expect(await execute({ channel: 'stable' })).toMatchObject({ policy: { version: 2, channel: 'stable' }, changed: true });
      expect(await execute({ channel: 'stable' })).toMatchObject({ policy: { version: 2 }, changed: false });
      expect(await execute({ name: 'other' })).toMatchObject({ policy: { version: 1 } });
      expect(await active()).toEqual([
        { name: 'default', version: 2 },
        { name: 'other', version: 1 },
      ]);
      expect(await publisher.rows('select 1 from registry.policies')).toHaveLength(3);
      expect((await publisher.events()).map(event => event.data['policy'])).toMatchObject([
        { version: 1 },
        { version: 2 },
        { name: 'other' },
      ]);
    });

    it('gives changes at the same time a version each', async () => {
      const replies = await Promise.all(Array.from({ length: 10 }, (_, at) => execute({ channel: `channel-${at}` })));
      expect(replies.map(reply => reply.policy.version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await active()).toEqual([{ name: 'default', version: 10 }]);
    });

    it('lets a tenant have 64 and no more, each of which it may still change', async () => {
      for (let at = 0; at < 64; at++) await execute({ name: `policy-${at}` });
      await expect(execute({ name: 'one-more' })).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT' });
      expect(await execute({ name: 'policy-0', unsigned: 'allow' })).toMatchObject({ policy: { version: 2 } });
      expect(await execute({ name: 'one-more', tenant: 'globex' })).toMatchObject({ changed: true });
    });
  });

  describe('UpdateScanning', () => {
    const execute = (settings: Partial<ScanSettings>, tenant = 'acme') =>
      new UpdateScanning(publisher.unitOfWork, publisher.clock).execute({ ...FROM, tenant, settings });

    it('changes what is named, of that tenant alone, with an event for a change', async () => {
      expect(await execute({})).toEqual({ settings: DEFAULT_SCANNING, changed: false });
      expect(await execute({ malware: 'required' })).toEqual({ settings: { secrets: 'on', malware: 'required' }, changed: true });
      expect(await execute({ malware: 'required' })).toMatchObject({ changed: false });
      expect(await execute({ secrets: 'off' })).toEqual({ settings: { secrets: 'off', malware: 'required' }, changed: true });
      expect(await execute({}, 'globex')).toEqual({ settings: DEFAULT_SCANNING, changed: false });
      const events = await publisher.events();
      expect(events.map(({ type, data }) => [type, data['tenant'], data['actor'], data['settings']])).toEqual([
        ['registry.scanning.updated', 'acme', 'user:root', { secrets: 'on', malware: 'required' }],
        ['registry.scanning.updated', 'acme', 'user:root', { secrets: 'off', malware: 'required' }],
      ]);
    });
  });

  describe('UpdateVisibility', () => {
    const execute = (...shareWith: string[]) => new UpdateVisibility(publisher.unitOfWork, publisher.clock).execute({ ...FROM, shareWith });

    const CLOSED = { publicRead: false, pullByDigestOnly: false };

    it('sets the list, sorted and each tenant once, with an event for a change', async () => {
      expect(await execute('globex', 'acme', 'globex')).toEqual({ shareWith: ['acme', 'globex'], ...CLOSED, changed: true });
      expect(await execute('acme', 'globex')).toEqual({ shareWith: ['acme', 'globex'], ...CLOSED, changed: false });
      expect(await execute()).toEqual({ shareWith: [], ...CLOSED, changed: true });
      expect((await publisher.events()).map(event => event.data['shareWith'])).toEqual([['acme', 'globex'], []]);
    });

    it('sets what the namespace shows to everybody, and leaves what is not named', async () => {
      const use = new UpdateVisibility(publisher.unitOfWork, publisher.clock);
      const set = (changes: { publicRead?: boolean; pullByDigestOnly?: boolean }) => use.execute({ ...FROM, shareWith: [], ...changes });
      expect(await set({ publicRead: true })).toEqual({ shareWith: [], publicRead: true, pullByDigestOnly: false, changed: true });
      expect(await set({ publicRead: true })).toMatchObject({ changed: false });
      expect(await set({ pullByDigestOnly: true })).toEqual({ shareWith: [], publicRead: true, pullByDigestOnly: true, changed: true });
      expect(await set({ publicRead: false })).toMatchObject({ publicRead: false, pullByDigestOnly: true, changed: true });
      expect(await set({})).toMatchObject({ publicRead: false, pullByDigestOnly: true, changed: false });
      const told = (await publisher.events()).map(({ data }) => [data['publicRead'], data['pullByDigestOnly']]);
      expect(told).toEqual([
        [true, false],
        [true, true],
        [false, true],
      ]);
    });
  });
});
