import { randomUUID } from 'node:crypto';
import { encodePackConfig, MEDIA_TYPES, sha256 } from '@packs/domain';
import type { BlobRef } from '@packs/ports';
import { aPack } from '@packs/testing';
import { PushingPublisher } from '../pushing-publisher.fixture';
import { PublishArtifact } from './publish-artifact';
import { PublishPack } from './publish-pack';

describe('PublishPack of a pack that came with its manifest', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew());
  afterAll(() => publisher.close());

  /** As a fetch leaves it: stored, and in no repository. */
  async function publish(changes: object = {}, signedAs?: (manifest: BlobRef, signature: BlobRef) => object) {
    const pack = aPack({});
    const [config, bundle] = [await publisher.store(encodePackConfig(pack)), await publisher.store(JSON.stringify(pack))];
    const describe = (mediaType: string, { digest, size }: typeof config) => ({ mediaType, digest, size });
    const manifest = await publisher.store(
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack },
        ...{ config: describe(MEDIA_TYPES.packConfig, config), layers: [describe(MEDIA_TYPES.packBundle, bundle)] },
        ...{ annotations: { 'org.example.built-by': 'ci' }, ...changes },
      }),
    );
    const { unitOfWork, commands, blobs, clock } = publisher;
    const document = signedAs && (await publisher.store(publisher.release.statement(manifest.digest)));
    const referrer = document && (await publisher.store(JSON.stringify(signedAs(manifest, document))));
    const signatures =
      document && referrer
        ? [{ ...document, mediaType: MEDIA_TYPES.sigstoreBundle, referrer: { mediaType: MEDIA_TYPES.ociManifest, manifest: referrer } }]
        : [];
    const reply = await new PublishPack(unitOfWork, blobs, new PublishArtifact(unitOfWork, commands, blobs, clock)).execute({
      ...publisher.origin,
      ...{ packId: pack.metadata.packId, version: null, channel: 'edge', bundle, signatures, manifestDigest: null },
      artifact: { mediaType: MEDIA_TYPES.ociManifest, manifest, config },
      idempotencyKey: randomUUID(),
    });
    return { reply, manifest, referrer };
  }

  it('keeps the manifest as it came', async () => {
    await publisher.policy('allow', 2);
    const { reply, manifest } = await publish();
    expect(reply).toMatchObject({ outcome: 'published', manifestDigest: manifest.digest });
    const rows = await publisher.sql(`select manifest_digest from registry.pack_versions where tenant = $1`, [publisher.tenant]);
    expect(rows).toEqual([{ manifest_digest: manifest.digest }]);
  });

  it('keeps it while the version waits, until a signature of it completes that', async () => {
    const { reply, manifest } = await publish();
    expect(reply).toMatchObject({ outcome: 'pending', manifestDigest: manifest.digest });
    const signature = publisher.release.statement(manifest.digest);
    expect(await publisher.refer(manifest.digest, signature)).toMatchObject({ state: 'published', version: '1.0.0' });
  });

  describe('keeps the manifest of its signature', () => {
    const ofSignature = (manifest: BlobRef, signature: BlobRef) => ({
      ...{ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.sigstoreBundle },
      config: { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256('{}'), size: 2 },
      layers: [{ mediaType: MEDIA_TYPES.sigstoreBundle, digest: signature.digest, size: signature.size }],
      subject: { mediaType: MEDIA_TYPES.ociManifest, digest: manifest.digest, size: manifest.size },
      annotations: { 'org.example.signed-by': 'ci' },
    });
    const referrers = async (manifest: BlobRef): Promise<string[]> => {
      const rows = await publisher.sql<{ digest: string }>(`select digest from registry.manifests where tenant = $1 and subject = $2`, [
        publisher.tenant,
        manifest.digest,
      ]);
      return rows.map(({ digest }) => digest);
    };

    it('as it came', async () => {
      const { reply, manifest, referrer } = await publish({}, ofSignature);
      expect(reply.outcome).toBe('published');
      expect(await referrers(manifest)).toEqual([referrer?.digest]);
    });

    it.each<[string, (manifest: BlobRef, signature: BlobRef) => object]>([
      ['another subject', (manifest, signature) => ofSignature({ ...manifest, digest: sha256('another') }, signature)],
      ['another layer', (manifest, signature) => ofSignature(manifest, { ...signature, digest: sha256('another') })],
      ['a config that is none', (manifest, signature) => ({ ...ofSignature(manifest, signature), config: {} })],
      ['more bytes than it may have', (manifest, signature) => ({ ...ofSignature(manifest, signature), long: 'x'.repeat(70_000) })],
    ])('not with %s, and the signature all the same', async (_, signedAs) => {
      const { reply, manifest, referrer } = await publish({}, signedAs);
      expect(reply.outcome).toBe('published');
      const kept = await referrers(manifest);
      expect([kept.length, kept.includes(referrer?.digest ?? '')]).toEqual([1, false]);
    });
  });

  it.each<[string, object]>([
    ['/artifactType', { artifactType: 'application/vnd.somebody' }],
    ['/layers', { layers: [] }],
    ['/config', { config: { mediaType: MEDIA_TYPES.packConfig, digest: `sha256:${'0'.repeat(64)}`, size: 2 } }],
    ['/subject', { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: `sha256:${'0'.repeat(64)}`, size: 2 } }],
  ])('refuses one whose %s is not that of the pack', async (pointer, changes) => {
    await expect(publish(changes)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID', errors: [{ pointer }] });
  });
});
