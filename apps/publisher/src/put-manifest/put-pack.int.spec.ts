import { encodePackConfig, MEDIA_TYPES, sha256 } from '@packs/domain';
import { aPack } from '@packs/testing';
import { PushingPublisher } from '../pushing-publisher.fixture';

describe('PutManifest of a pack', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew('allow'));
  afterAll(() => publisher.close());

  const versions = () =>
    publisher.sql(
      `select version, manifest_digest, bundle_digest, config_digest, channel, published_by from registry.pack_versions where tenant = $1 order by version`,
      [publisher.tenant],
    );
  const claims = () =>
    publisher.sql(`select version, manifest_digest, reasons from registry.pending_versions where tenant = $1`, [publisher.tenant]);

  it('publishes it and keeps the manifest as it came', async () => {
    const { body, bundle, manifest } = await publisher.packBody({}, { annotations: { 'org.example.built-by': 'ci' } });
    const reply = await publisher.push('acme.hello', body, { tags: ['1.0.0'] });
    const digest = sha256(JSON.stringify(body));
    const [recorded] = await publisher.sql<{ objectKey: string }>(`select object_key as "objectKey" from content.blobs where digest = $1`, [
      digest,
    ]);
    expect(reply).toEqual({ ...recorded, digest, subject: null, state: 'published', version: '1.0.0' });
    expect(await versions()).toEqual([
      {
        version: '1.0.0',
        manifest_digest: reply.digest,
        bundle_digest: bundle.digest,
        config_digest: sha256(encodePackConfig(manifest)),
        channel: 'edge',
        published_by: 'user:alice',
      },
    ]);
    expect(await publisher.events()).toMatchObject([
      { type: 'pack.version.published', data: { manifestDigest: reply.digest, digest: bundle.digest, actor: 'user:alice' } },
    ]);
  });

  it('gives the same answer to the same push, by digest or by the version’s tag', async () => {
    const first = await publisher.pushPack({ version: '1.0.0+linux' });
    expect(await publisher.pushPack({ version: '1.0.0+linux' }, { tags: ['1.0.0_linux'] })).toEqual(first);
    expect(await publisher.eventTypes()).toEqual(['pack.version.published']);
  });

  it('does not acknowledge a version again whose manifest was damaged', async () => {
    const { body } = await publisher.packBody({}, { annotations: { will: 'be damaged' } });
    const { objectKey } = await publisher.push('acme.hello', body);
    publisher.blobs.objects.set(objectKey, Buffer.from('{}'));
    await expect(publisher.push('acme.hello', body)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });

  it.each([['latest'], ['edge'], ['1.0.1'], ['1.0.0', 'v1']])('refuses the tags %s', async (...tags) => {
    await expect(publisher.pushPack({}, { tags })).rejects.toMatchObject({ code: 'ERR_OCI_TAG_PROTECTED' });
    expect(await versions()).toEqual([]);
    await publisher.pushPack();
    await expect(publisher.pushPack({}, { tags })).rejects.toMatchObject({ code: 'ERR_OCI_TAG_PROTECTED' });
  });

  it('refuses another manifest for a version and names the one that is there', async () => {
    const { digest } = await publisher.pushPack();
    const { body } = await publisher.packBody({}, { annotations: { other: 'manifest' } });
    await expect(publisher.push('acme.hello', body)).rejects.toMatchObject({
      code: 'ERR_PACK_VERSION_EXISTS',
      details: { manifestDigest: digest },
      message: expect.stringContaining(digest) as string,
    });
    expect(await publisher.publish()).toMatchObject({ outcome: 'already-published', manifestDigest: digest });
  });

  it('has the manifest digest of a publish by REST, pushed again', async () => {
    const published = await publisher.publish();
    if (published.outcome !== 'published') throw new Error(published.outcome);
    const [row] = await publisher.sql<{ object_key: string }>(`select object_key from content.blobs where digest = $1`, [
      published.manifestDigest,
    ]);
    const bytes = publisher.blobs.objects.get(row?.object_key ?? '')?.toString() ?? '';
    expect(await publisher.push('acme.hello', bytes, { tags: ['1.0.0'] })).toMatchObject({
      digest: published.manifestDigest,
      state: 'published',
    });
  });

  it('refuses a repository that is not called like the pack, and a config that is not its bundle’s', async () => {
    const { body } = await publisher.packBody({});
    const elsewhere = await publisher.packBody({ packId: 'acme.other' });
    await publisher.upload('acme.hello', JSON.stringify(elsewhere.manifest));
    await expect(publisher.push('acme.hello', { ...body, layers: [elsewhere.bundle] })).rejects.toMatchObject({
      code: 'ERR_PACK_MANIFEST_MISMATCH',
    });
    const config = await publisher.upload('acme.hello', encodePackConfig(aPack({ metadata: { name: 'Another' } })), MEDIA_TYPES.packConfig);
    await expect(publisher.push('acme.hello', { ...body, config })).rejects.toMatchObject({ code: 'ERR_PACK_MANIFEST_MISMATCH' });
    expect(await versions()).toEqual([]);
  });

  it.each([
    ['no bundle', { layers: [] }],
    ['another artifact type', { artifactType: 'application/vnd.example' }],
    ['a subject', { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: sha256('x'), size: 1 } }],
    ['too many bytes', { annotations: { a: 'a'.repeat(70_000) } }],
  ])('refuses one with %s', async (_, changes) => {
    const { body } = await publisher.packBody({}, changes);
    await expect(publisher.push('acme.hello', body)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID' });
  });

  it('refuses blobs that the repository does not have, whoever has them', async () => {
    const { body } = await publisher.packBody();
    await publisher.anew('allow');
    await expect(publisher.push('acme.hello', body)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_BLOB_UNKNOWN' });
  });

  it('refuses what the policy refuses, with the verdict', async () => {
    await publisher.policy('reject', 2);
    await expect(publisher.pushPack()).rejects.toMatchObject({
      code: 'ERR_PACK_VERDICT_REJECTED',
      errors: [{ code: 'ERR_PACK_SIGNATURE_MISSING' }, {}],
    });
    expect([await versions(), await claims(), await publisher.eventTypes()]).toEqual([[], [], ['pack.version.rejected']]);
  });

  it('refuses what needs packs that are not there, and claims nothing', async () => {
    await publisher.policy('pending', 2);
    const manifest = aPack({ dependencies: [{ packId: 'acme.base', version: '^1.0.0' }] });
    const config = await publisher.upload('acme.hello', encodePackConfig(manifest), MEDIA_TYPES.packConfig);
    const bundle = await publisher.upload('acme.hello', JSON.stringify(manifest), MEDIA_TYPES.packBundle);
    const body = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack, config, layers: [bundle] };
    await expect(publisher.push('acme.hello', body)).rejects.toMatchObject({ code: 'ERR_PACK_DEPENDENCY' });
    expect(await claims()).toEqual([]);
  });

  it('makes one version when many push it at the same time', async () => {
    const { body } = await publisher.packBody();
    const other = await publisher.packBody({}, { annotations: { other: 'manifest' } });
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => publisher.push('acme.hello', n % 2 ? body : other.body)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(await versions()).toHaveLength(1);
    expect(await publisher.eventTypes()).toEqual(['pack.version.published']);
  });
});
