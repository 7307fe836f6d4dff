import { VerifyBundle, type PublishPackRequest } from '@packs/contracts';
import { encodePackConfig, sha256, type SigningPolicy } from '@packs/domain';
import { aPack } from '@packs/testing';
import { dyingInTransaction, SpecPublisher } from '../publisher.fixture';
import { UpdatePolicy } from '../update-policy/update-policy';
import { UpdateTrust } from '../update-trust/update-trust';
import { UpdateVisibility } from '../update-visibility/update-visibility';
import { PublishArtifact } from './publish-artifact';
import { PublishPack } from './publish-pack';

const FROM = { tenant: 'acme', actor: 'user:root', source: null };

describe('PublishPack', () => {
  let publisher: SpecPublisher;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
  });
  beforeEach(() => publisher.reset());
  afterAll(() => publisher.close());

  let materials = 0;
  async function changeTrust(): Promise<void> {
    const material = await publisher.store(`keys ${materials++}`);
    await new UpdateTrust(publisher.unitOfWork, publisher.clock).execute({ ...FROM, material, keyIds: [] });
  }
  const share = (...shareWith: string[]) => new UpdateVisibility(publisher.unitOfWork, publisher.clock).execute({ ...FROM, shareWith });
  const setPolicy = (unsigned: SigningPolicy['unsigned']) =>
    new UpdatePolicy(publisher.unitOfWork, publisher.clock).execute({
      ...FROM,
      ...{ name: 'default', channel: null, packType: null, rule: { keyRef: 'release' }, unsigned },
    });
  const typesOfEvents = async () => (await publisher.events()).map(event => event.type);
  const versions = () =>
    publisher.rows('select pack_id, version, bundle_digest, verdict_hash, trust_epoch from registry.pack_versions order by 1, 2');
  /** How many rows each table of the registry has. */
  async function census(): Promise<Record<string, unknown>> {
    const tables = ['packs', 'pack_versions', 'manifests', 'manifest_blobs', 'verdicts', 'signatures', 'channel_heads', 'outbox'];
    const [counts] = await publisher.rows(
      `select ${tables.map(name => `(select count(*)::int from registry.${name}) as ${name}`).join(', ')}`,
    );
    return counts ?? {};
  }

  describe('accepts', () => {
    it('a good bundle: the version, its artifact and its event are there', async () => {
      const request = await publisher.aRequest({ signatures: ['one', 'two'] });
      const reply = await publisher.publishPack.execute(request);
      const manifest = aPack();
      expect(reply).toEqual({
        outcome: 'published',
        packId: 'acme.hello',
        version: '1.0.0',
        digest: request.bundle.digest,
        manifestDigest: expect.stringMatching(/^sha256:/) as string,
        size: request.bundle.size,
        channel: 'edge',
        verdictHash: expect.stringMatching(/^sha256:/) as string,
      });
      expect(await census()).toMatchObject({
        packs: 1,
        pack_versions: 1,
        manifests: 3,
        manifest_blobs: 6,
        verdicts: 1,
        signatures: 2,
        channel_heads: 1,
      });
      const [event, ...others] = await publisher.events();
      expect(others).toEqual([]);
      expect(event).toMatchObject({
        type: 'pack.version.published',
        data: {
          packId: 'acme.hello',
          version: '1.0.0',
          actor: 'user:alice',
          tenant: 'acme',
          source: 'stella/1.0',
          signatures: request.signatures.map(signature => signature.digest),
          metadataHash: sha256(encodePackConfig(manifest)),
          digest: request.bundle.digest,
          channelMoved: true,
          packType: 'task',
          tenantVisibility: [],
          publishedAt: '2026-01-17T08:00:00.000Z',
        },
      });
    });

    it('a bundle without signatures, when the verdict does', async () => {
      expect((await publisher.publish({ signatures: [] })).outcome).toBe('published');
      expect(await census()).toMatchObject({ manifests: 1, signatures: 0 });
    });

    it('an older version later, without moving the channel back', async () => {
      await publisher.publish({ metadata: { version: '2.0.0' } });
      await publisher.publish({ metadata: { version: '1.0.0' } });
      expect((await publisher.events()).map(event => event.data['channelMoved'])).toEqual([true, false]);
    });

    it('the same packId from every tenant', async () => {
      await publisher.publish();
      expect((await publisher.publish({ kind: 'PolicyPack', request: { tenant: 'globex' } })).outcome).toBe('published');
    });
  });

  describe('answers a version that is there', () => {
    it('with what is stored when the bundle is the same, and changes nothing', async () => {
      const first = await publisher.publish();
      const before = await census();
      publisher.clock.advance(60_000);
      const again = await publisher.publish({ request: { actor: 'user:bob', channel: 'stable' } });
      expect(again).toEqual({ ...first, outcome: 'already-published' });
      expect(await census()).toEqual(before);
    });

    it.each([
      ['other content', { content: 'other' }],
      ['other build metadata', { metadata: { version: '1.0.0+build.2' } }],
      ['another type', { kind: 'PolicyPack' as const }],
    ])('with a refusal that names it when the bundle has %s', async (_, changes) => {
      const first = await publisher.publish();
      const before = await census();
      await expect(publisher.publish(changes)).rejects.toMatchObject({
        code: 'ERR_PACK_VERSION_EXISTS',
        retry: 'never',
        details: { version: '1.0.0', digest: 'digest' in first ? first.digest : '' },
      });
      expect(await census()).toEqual(before);
    });
  });

  describe('refuses, and leaves nothing', () => {
    const refusal = async (changes: Parameters<SpecPublisher['publish']>[0]) => {
      const before = await census();
      const error = await publisher.publish(changes).catch((reason: unknown) => reason);
      expect(await census()).toEqual(before);
      return error;
    };

    it('a version of another type than the pack has', async () => {
      await publisher.publish();
      expect(await refusal({ kind: 'PolicyPack', metadata: { version: '1.1.0' } })).toMatchObject({
        code: 'ERR_PACK_TYPE_CHANGED',
        errors: [{ pointer: '/kind' }],
      });
    });

    it('visibility beyond what the tenant may share', async () => {
      await share('globex');
      const tenantVisibility = ['globex', 'initech', 'acme', '*'];
      expect(await refusal({ metadata: { tenantVisibility } })).toMatchObject({
        code: 'ERR_PACK_VISIBILITY',
        errors: [{ pointer: '/metadata/tenantVisibility/1' }, { pointer: '/metadata/tenantVisibility/3' }],
      });
      await share('*');
      expect((await publisher.publish({ metadata: { tenantVisibility } })).outcome).toBe('published');
    });

    it('dependencies and members that are not there, each by its pointer', async () => {
      await publisher.publish({ metadata: { packId: 'base', version: '1.0.0' } });
      await publisher.publish({ metadata: { packId: 'preview', version: '2.0.0-rc.1' } });
      await publisher.publish({ metadata: { packId: 'foreign' }, request: { tenant: 'globex' } });
      const dependencies = [
        { packId: 'base', version: '^1.0.0' },
        { packId: 'base', version: '^2.0.0' },
        { packId: 'absent', version: '*' },
        { packId: 'foreign', version: '*' },
      ];
      const members = [
        { packId: 'preview', version: '^2.0.0' },
        { packId: 'preview', version: '>=2.0.0-rc.0' },
      ];
      expect(await refusal({ kind: 'BundlePack', dependencies, spec: { members } })).toMatchObject({
        code: 'ERR_PACK_DEPENDENCY',
        errors: [
          { pointer: '/dependencies/1/version' },
          { pointer: '/dependencies/2/packId' },
          { pointer: '/dependencies/3/packId' },
          { pointer: '/spec/members/0/version' },
        ],
      });
      expect((await publisher.publish({ dependencies: dependencies.slice(0, 1) })).outcome).toBe('published');
    });

    it('a manifest that is not the bundle’s', async () => {
      expect(await refusal({ request: { manifestDigest: sha256('another') } })).toMatchObject({
        code: 'ERR_PACK_MANIFEST_MISMATCH',
        errors: [{ pointer: '/manifest' }],
      });
      const manifestDigest = sha256(encodePackConfig(aPack()));
      expect((await publisher.publish({ request: { manifestDigest } })).outcome).toBe('published');
    });

    it('anything while the verifier does not answer', async () => {
      publisher.duringVerification = () => Promise.reject(new Error('connection lost'));
      await expect(publisher.publish()).rejects.toThrow('connection lost');
      expect(await census()).toMatchObject({ packs: 0, pack_versions: 0, outbox: 0 });
    });
  });

  describe('a rejected bundle', () => {
    beforeEach(() => {
      publisher.fault = { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: 'not by a trusted key', field: 'signatures[0]' };
    });

    it('is answered with its verdict, of which verdict and event are kept and nothing else', async () => {
      const reply = await publisher.publish();
      expect(reply).toMatchObject({ outcome: 'rejected', verdict: { outcome: 'rejected' }, faults: [publisher.fault] });
      expect(await census()).toEqual({
        ...{ packs: 0, pack_versions: 0, manifests: 0, manifest_blobs: 0, signatures: 0, channel_heads: 0 },
        verdicts: 1,
        outbox: 1,
      });
      expect(await publisher.events()).toMatchObject([
        {
          type: 'pack.version.rejected',
          data: { packId: 'acme.hello', version: '1.0.0', reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'], channel: 'edge' },
        },
      ]);
      const [kept] = await publisher.rows('select hash, document from registry.verdicts');
      expect(reply).toMatchObject({ verdict: kept?.['document'], verdictHash: kept?.['hash'] });
    });

    it('may be published once it is good', async () => {
      await publisher.publish();
      publisher.fault = undefined;
      expect((await publisher.publish()).outcome).toBe('published');
    });
  });

  describe('under an idempotency key', () => {
    const key = { idempotencyKey: 'key-1' };

    it('gives the same answer again without asking the verifier', async () => {
      const first = await publisher.publish({ request: key });
      const asked = publisher.commands.sent.length;
      expect(await publisher.publish({ request: key })).toEqual(first);
      expect(publisher.commands.sent).toHaveLength(asked);
      expect(await typesOfEvents()).toEqual(['pack.version.published']);
    });

    it('gives a rejection again, though the bundle would be accepted now', async () => {
      publisher.fault = { code: 'ERR_PACK_SIGNATURE_INVALID', message: 'does not verify' };
      const first = await publisher.publish({ request: key });
      publisher.fault = undefined;
      expect(await publisher.publish({ request: key })).toEqual(first);
      expect(await typesOfEvents()).toEqual(['pack.version.rejected']);
    });

    it.each<[string, Partial<PublishPackRequest>]>([
      ['another bundle', {}],
      ['another channel', { channel: 'stable' }],
      ['another version claimed', { version: '1.0.0' }],
      ['other signatures', { signatures: [] }],
    ])('refuses %s', async (what, changes) => {
      await publisher.publish({ request: key });
      const other = publisher.publish({ request: { ...key, ...changes }, ...(what === 'another bundle' && { content: 'other' }) });
      await expect(other).rejects.toMatchObject({ code: 'ERR_PACK_IDEMPOTENCY_MISMATCH', errors: [{ field: 'Idempotency-Key' }] });
    });

    it('belongs to one tenant', async () => {
      await publisher.publish({ request: key });
      expect(await publisher.publish({ content: 'other', request: { ...key, tenant: 'globex' } })).toMatchObject({ outcome: 'published' });
    });

    it('gives one answer to requests at the same time', async () => {
      const request = await publisher.aRequest({ request: key });
      const replies = await Promise.all(Array.from({ length: 8 }, () => publisher.publishPack.execute(request)));
      for (const reply of replies) expect(reply).toEqual(replies[0]);
      expect(replies[0]?.outcome).toBe('published');
      expect(await typesOfEvents()).toEqual(['pack.version.published']);
    });

    it('is not used up by a request that failed', async () => {
      publisher.duringVerification = () => Promise.reject(new Error('connection lost'));
      await expect(publisher.publish({ request: key })).rejects.toThrow();
      publisher.duringVerification = undefined;
      expect((await publisher.publish({ request: key, content: 'other' })).outcome).toBe('published');
    });
  });

  describe('when what the verdict leaned on changes before the commit', () => {
    const epochsAsked = () =>
      publisher.commands.sent
        .filter(sent => sent.subject === VerifyBundle.subject)
        .map(sent => (sent.request as { trust: { epoch: number } }).trust.epoch);
    const once = (change: () => Promise<unknown>) => {
      publisher.duringVerification = async () => {
        publisher.duringVerification = undefined;
        await change();
      };
    };

    it('asks again under the new trust and stores that verdict', async () => {
      once(changeTrust);
      const reply = await publisher.publish();
      expect(epochsAsked()).toEqual([0, 1]);
      expect(await versions()).toMatchObject([{ trust_epoch: '1', verdict_hash: 'verdictHash' in reply ? reply.verdictHash : '' }]);
      expect(await typesOfEvents()).toEqual(['registry.trust.updated', 'pack.version.published']);
    });

    it('asks again under the new policy', async () => {
      once(() => setPolicy('reject'));
      await publisher.publish();
      const policies = publisher.commands.sent.map(sent =>
        (sent.request as { policies: SigningPolicy[] }).policies.map(policy => policy.version),
      );
      expect(policies).toEqual([[], [1]]);
    });

    it('rejects what the new trust does not accept', async () => {
      once(async () => {
        await changeTrust();
        publisher.fault = { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: 'not by a trusted key' };
      });
      expect((await publisher.publish()).outcome).toBe('rejected');
      expect(await versions()).toEqual([]);
    });

    it('holds the newest allow-list against its visibility', async () => {
      await share('globex');
      once(() => share());
      await expect(publisher.publish({ metadata: { tenantVisibility: ['globex'] } })).rejects.toMatchObject({
        code: 'ERR_PACK_VISIBILITY',
      });
    });

    it('gives up when it never stands still', async () => {
      publisher.duringVerification = changeTrust;
      await expect(publisher.publish()).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT', retry: 'later' });
      expect(epochsAsked()).toEqual([0, 1, 2, 3]);
      expect(await versions()).toEqual([]);
    });
  });

  it('lets one of many publishers of a version win, and tells all others', async () => {
    const requests = await Promise.all(Array.from({ length: 16 }, (_, at) => publisher.aRequest({ content: `bundle ${at}` })));
    const results = await Promise.allSettled(requests.map(request => publisher.publishPack.execute(request)));
    const won = results.flatMap((result, at) =>
      result.status === 'fulfilled' ? [{ reply: result.value, digest: requests[at]?.bundle.digest }] : [],
    );
    expect(won).toMatchObject([{ reply: { outcome: 'published', digest: won[0]?.digest } }]);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ERR_PACK_VERSION_EXISTS' });
    expect(await versions()).toMatchObject([{ bundle_digest: won[0]?.digest }]);
    expect(await typesOfEvents()).toEqual(['pack.version.published']);
  });

  it('gives many publishers of the same bundle the same artifact, of which one made it', async () => {
    const requests = await Promise.all(Array.from({ length: 16 }, () => publisher.aRequest()));
    const replies = await Promise.all(requests.map(request => publisher.publishPack.execute(request)));
    expect(replies.filter(reply => reply.outcome === 'published')).toHaveLength(1);
    expect(new Set(replies.map(reply => ('manifestDigest' in reply ? reply.manifestDigest : reply.outcome))).size).toBe(1);
    expect(await typesOfEvents()).toEqual(['pack.version.published']);
  });

  it.each([1, 2])('shows nothing of a publish that died in its transaction %i, and publishes when repeated', async nth => {
    const unitOfWork = dyingInTransaction(publisher.unitOfWork, nth);
    const dying = new PublishPack(
      unitOfWork,
      publisher.blobs,
      new PublishArtifact(unitOfWork, publisher.commands, publisher.blobs, publisher.clock),
    );
    const request = await publisher.aRequest({ request: { idempotencyKey: 'key' } });
    await expect(dying.execute(request)).rejects.toThrow('died before the commit');
    expect(Object.values(await census()).every(count => count === 0)).toBe(true);
    expect((await publisher.publishPack.execute(request)).outcome).toBe('published');
  });
});
