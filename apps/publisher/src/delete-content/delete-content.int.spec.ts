import { MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { PushingPublisher } from '../pushing-publisher.fixture';
import { SLSA } from '../pushing-signer.fixture';

describe('DeleteContent', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew());
  afterAll(() => publisher.close());

  const count = async (table: string) =>
    (await publisher.sql<{ n: number }>(`select count(*)::int as n from ${table} where tenant = $1`, [publisher.tenant]))[0]?.n;

  describe('in a generic repository', () => {
    let digest: Digest;
    let layer: Digest;
    beforeEach(async () => {
      const config = await publisher.upload('app', 'config', 'application/vnd.oci.image.config.v1+json');
      const part = await publisher.upload('app', 'layer');
      layer = part.digest;
      const body = { schemaVersion: 2, config, layers: [part] };
      ({ digest } = await publisher.push('app', body, { tags: ['v1', 'v2'] }));
    });

    it('takes a tag and leaves the manifest, then the manifest with its other tags', async () => {
      expect(await publisher.delete('app', { tag: 'v1' })).toEqual({ outcome: 'deleted' });
      expect([await count('registry.tags'), await count('registry.manifests')]).toEqual([1, 1]);
      await expect(publisher.delete('app', { tag: 'v1' })).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_UNKNOWN' });
      expect(await publisher.delete('app', { manifest: digest })).toEqual({ outcome: 'deleted' });
      expect([await count('registry.tags'), await count('registry.manifests'), await count('registry.manifest_blobs')]).toEqual([0, 0, 0]);
      await expect(publisher.delete('app', { manifest: digest })).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_UNKNOWN' });
    });

    it('takes a blob once no manifest needs it', async () => {
      await expect(publisher.delete('app', { blob: layer })).rejects.toMatchObject({
        code: 'ERR_OCI_REFERENCED',
        details: { manifest: digest },
      });
      await publisher.delete('app', { manifest: digest });
      expect(await publisher.delete('app', { blob: layer })).toEqual({ outcome: 'deleted' });
      await expect(publisher.delete('app', { blob: layer })).rejects.toMatchObject({ code: 'ERR_OCI_BLOB_UNKNOWN' });
    });

    it('takes a blob of a repository that has no manifest yet', async () => {
      const blob = await publisher.upload('uploads-only', 'x');
      expect(await publisher.delete('uploads-only', { blob: blob.digest })).toEqual({ outcome: 'deleted' });
      await expect(publisher.delete('nothing', { manifest: digest })).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_UNKNOWN' });
    });

    it('takes nothing of another tenant', async () => {
      await publisher.anew();
      for (const target of [{ tag: 'v1' }, { manifest: digest }]) {
        await expect(publisher.delete('app', target)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_UNKNOWN' });
      }
      await expect(publisher.delete('app', { blob: layer })).rejects.toMatchObject({ code: 'ERR_OCI_BLOB_UNKNOWN' });
    });

    it('keeps the repository’s kind', async () => {
      await publisher.delete('app', { manifest: digest });
      const { body } = await publisher.packBody({ packId: 'app' });
      await expect(publisher.push('app', body)).rejects.toMatchObject({ code: 'ERR_OCI_REPOSITORY_KIND' });
    });
  });

  describe('in a pack’s repository', () => {
    async function aPublished(): Promise<{ digest: Digest; signature: Digest; bundle: Digest }> {
      const { body, bundle } = await publisher.packBody();
      const { digest } = await publisher.push('acme.hello', body);
      const signature = await publisher.refer(digest, publisher.release.statement(digest));
      return { digest, signature: signature.digest, bundle: bundle.digest };
    }

    it('tells of what was attached to a published version, once, and of its end, and of no signature', async () => {
      const { digest } = await aPublished();
      const before = (await publisher.events()).length;
      const sbom = await publisher.refer(digest, Buffer.from('what is in it'), 'text/spdx');
      expect((await publisher.refer(digest, Buffer.from('what is in it'), 'text/spdx')).digest).toBe(sbom.digest);
      const other = await publisher.refer(digest, Buffer.from('nobody knows'), MEDIA_TYPES.rawSignature);
      expect(await publisher.delete('acme.hello', { manifest: sbom.digest })).toEqual({ outcome: 'deleted' });
      expect(await publisher.delete('acme.hello', { manifest: other.digest })).toEqual({ outcome: 'deleted' });
      const about = { packId: 'acme.hello', version: '1.0.0', manifestDigest: digest, referrer: sbom.digest, artifactType: 'text/spdx' };
      expect((await publisher.events()).slice(before)).toMatchObject([
        { type: 'pack.referrer.added', data: { ...about, actor: 'user:alice' } },
        { type: 'pack.referrer.removed', data: { ...about, actor: 'user:bob' } },
      ]);
    });

    it('deprecates a published version in place of its deletion, as often as asked', async () => {
      const { digest } = await aPublished();
      for (let n = 0; n < 2; n++) expect(await publisher.delete('acme.hello', { manifest: digest })).toEqual({ outcome: 'deprecated' });
      expect((await publisher.events()).filter(({ type }) => type === 'pack.version.deprecated')).toMatchObject([
        { data: { actor: 'user:bob', reason: null } },
      ]);
      expect(await count('registry.manifests')).toBe(2);
    });

    it('protects the tags of versions and channels', async () => {
      await aPublished();
      for (const tag of ['1.0.0', 'edge'])
        await expect(publisher.delete('acme.hello', { tag })).rejects.toMatchObject({ code: 'ERR_OCI_TAG_PROTECTED' });
      await expect(publisher.delete('acme.hello', { tag: 'unknown' })).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_UNKNOWN' });
    });

    it('keeps what a verdict leaned on, and gives up what nothing leans on', async () => {
      const { digest, signature, bundle } = await aPublished();
      const attestation = await publisher.refer(digest, publisher.release.statement(digest, SLSA));
      const sbom = await publisher.refer(digest, Buffer.from('sbom'), 'text/spdx+json');
      for (const manifest of [signature, attestation.digest]) {
        await expect(publisher.delete('acme.hello', { manifest })).rejects.toMatchObject({ code: 'ERR_OCI_REFERENCED' });
      }
      await expect(publisher.delete('acme.hello', { blob: bundle })).rejects.toMatchObject({ code: 'ERR_OCI_REFERENCED' });
      expect(await publisher.delete('acme.hello', { manifest: sbom.digest })).toEqual({ outcome: 'deleted' });
      expect(await count('registry.pack_provenance')).toBe(1);
      expect(await count('registry.manifests')).toBe(3);
    });

    it('gives the number of a version that waits back, with all that refers to it', async () => {
      const { digest } = await publisher.pushPack();
      await publisher.refer(digest, publisher.release.statement(sha256('else')));
      expect(await publisher.delete('acme.hello', { manifest: digest })).toEqual({ outcome: 'deleted' });
      expect([await count('registry.pending_versions'), await count('registry.manifests'), await count('registry.manifest_blobs')]).toEqual(
        [0, 0, 0],
      );
      expect((await publisher.events()).at(-1)).toMatchObject({
        type: 'pack.version.expired',
        data: { actor: 'user:bob', cause: 'request', manifestDigest: digest, version: '1.0.0', claimedBy: 'user:alice' },
      });
      const { body } = await publisher.packBody({}, { annotations: { other: 'manifest' } });
      expect(await publisher.push('acme.hello', body)).toMatchObject({ state: 'pending' });
    });
  });

  describe('when time is up', () => {
    it('ends claims, each once, and lets other content have the number', async () => {
      const { digest } = await publisher.pushPack();
      const { bundle } = await publisher.packBody();
      publisher.clock.advance(24 * 3600_000 - 1);
      expect(await publisher.expirePending.execute()).toBe(0);
      publisher.clock.advance(1);
      await Promise.all([1, 2, 3].map(() => publisher.expirePending.execute()));
      expect([await count('registry.pending_versions'), await count('registry.manifests')]).toEqual([0, 0]);
      expect(await publisher.events()).toMatchObject([
        { type: 'pack.version.pending' },
        { type: 'pack.version.expired', data: { actor: 'system:expiry', cause: 'time', digest: bundle.digest, manifestDigest: digest } },
      ]);
      await expect(publisher.refer(digest, publisher.release.statement(digest))).rejects.toMatchObject({
        code: 'ERR_OCI_MANIFEST_INVALID',
      });
      await publisher.policy('allow', 2);
      expect(await publisher.publish({ name: 'Something else' })).toMatchObject({ outcome: 'published' });
    });

    it('ends no claim that was completed', async () => {
      const { digest } = await publisher.pushPack();
      publisher.clock.advance(24 * 3600_000);
      await Promise.all([
        publisher.expirePending.execute(),
        publisher.refer(digest, publisher.release.statement(digest)).catch(() => undefined),
      ]);
      const types = await publisher.eventTypes();
      expect(types).toHaveLength(2);
      expect(types.includes('pack.version.published')).toBe((await count('registry.pack_versions')) === 1);
      expect(await count('registry.pending_versions')).toBe(0);
    });
  });
});
