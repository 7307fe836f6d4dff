import { randomUUID } from 'node:crypto';
import { encodePackConfig, MEDIA_TYPES } from '@packs/domain';
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
  async function publish(changes: object = {}) {
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
    const reply = await new PublishPack(unitOfWork, blobs, new PublishArtifact(unitOfWork, commands, blobs, clock)).execute({
      ...publisher.origin,
      ...{ packId: pack.metadata.packId, version: null, channel: 'edge', bundle, signatures: [], manifestDigest: null },
      artifact: { mediaType: MEDIA_TYPES.ociManifest, manifest, config },
      idempotencyKey: randomUUID(),
    });
    return { reply, manifest };
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

  it.each<[string, object]>([
    ['/artifactType', { artifactType: 'application/vnd.somebody' }],
    ['/layers', { layers: [] }],
    ['/config', { config: { mediaType: MEDIA_TYPES.packConfig, digest: `sha256:${'0'.repeat(64)}`, size: 2 } }],
    ['/subject', { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: `sha256:${'0'.repeat(64)}`, size: 2 } }],
  ])('refuses one whose %s is not that of the pack', async (pointer, changes) => {
    await expect(publish(changes)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID', errors: [{ pointer }] });
  });
});
