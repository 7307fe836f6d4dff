import { MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { unsealedOnly } from '@packs/ports';
import { PushingPublisher } from '../pushing-publisher.fixture';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

describe('PutManifest of generic content', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew());
  afterAll(() => publisher.close());

  async function anImage(repository: string, content = 'layer', changes: object = {}) {
    const config = await publisher.upload(repository, `config of ${content}`, 'application/vnd.oci.image.config.v1+json');
    const layers = [await publisher.upload(repository, content, LAYER)];
    return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers, ...changes };
  }
  const manifests = (repository: string) =>
    publisher.sql<{ digest: Digest; artifact_type: string; subject: string | null; annotations: object; media_type: string }>(
      `select digest, artifact_type, subject, annotations, media_type from registry.manifests where repository = $1 and tenant = $2 order by created_at`,
      [repository, publisher.tenant],
    );
  const tags = async (repository: string) => {
    const rows = await publisher.sql<{ tag: string; digest: Digest }>(
      `select tag, manifest_digest as digest from registry.tags where repository = $1 and tenant = $2 order by tag`,
      [repository, publisher.tenant],
    );
    return Object.fromEntries(rows.map(({ tag, digest }) => [tag, digest]));
  };
  const edges = async (digest: Digest) =>
    (
      await publisher.sql<{ d: Digest }>(
        `select blob_digest as d from registry.manifest_blobs where manifest_digest = $1 and tenant = $2 order by 1`,
        [digest, publisher.tenant],
      )
    ).map(({ d }) => d);
  const kind = async (repository: string) =>
    (
      await publisher.sql<{ kind: string }>(`select kind from registry.repositories where name = $1 and tenant = $2`, [
        repository,
        publisher.tenant,
      ])
    )[0]?.kind;

  it('records manifest, blobs, tags and what referrers tell', async () => {
    const body = await anImage('tools/app', 'layer', {
      annotations: { a: 'b' },
      subject: { mediaType: MEDIA_TYPES.ociManifest, digest: sha256('not there'), size: 3 },
    });
    const reply = await publisher.push('tools/app', body, { tags: ['v1', 'latest'] });
    const digest = sha256(JSON.stringify(body));
    const [recorded] = await publisher.sql<{ objectKey: string }>(`select object_key as "objectKey" from content.blobs where digest = $1`, [
      digest,
    ]);
    expect(reply).toEqual({ ...recorded, digest, subject: sha256('not there'), state: 'stored', version: null });
    expect(await manifests('tools/app')).toEqual([
      {
        digest: reply.digest,
        artifact_type: 'application/vnd.oci.image.config.v1+json',
        subject: sha256('not there'),
        annotations: { a: 'b' },
        media_type: MEDIA_TYPES.ociManifest,
      },
    ]);
    expect(await tags('tools/app')).toEqual({ v1: reply.digest, latest: reply.digest });
    expect(await edges(reply.digest)).toEqual([body.config.digest, body.layers[0]?.digest].toSorted());
    expect(await kind('tools/app')).toBe('generic');
    expect(await publisher.events()).toEqual([]);
  });

  it('gives the same answer to the same push, and moves tags', async () => {
    const first = await anImage('app', 'one');
    const replies = [await publisher.push('app', first, { tags: ['v1'] }), await publisher.push('app', first, { tags: ['v1'] })];
    expect(replies[1]).toEqual(replies[0]);
    const { digest } = await publisher.push('app', await anImage('app', 'two'), { tags: ['v1'] });
    expect(await tags('app')).toEqual({ v1: digest });
    expect(await manifests('app')).toHaveLength(2);
  });

  it('tells an artifact by its own type before its config’s', async () => {
    await publisher.push('app', await anImage('app', 'x', { artifactType: 'application/vnd.example.thing' }));
    expect(await manifests('app')).toMatchObject([{ artifact_type: 'application/vnd.example.thing' }]);
  });

  it('takes an image without layers, an empty index, a nested one, and those of Docker', async () => {
    await publisher.push('app', { ...(await anImage('app')), layers: [] });
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] as object[] };
    const empty = await publisher.push('app', index, { mediaType: MEDIA_TYPES.ociIndex });
    const child = { mediaType: MEDIA_TYPES.ociIndex, digest: empty.digest, size: 1 };
    await publisher.push('app', { ...index, manifests: [child] }, { mediaType: MEDIA_TYPES.ociIndex });
    const docker = { ...(await anImage('app')), mediaType: MEDIA_TYPES.dockerManifest };
    const image = await publisher.push('app', docker, { mediaType: MEDIA_TYPES.dockerManifest });
    const list = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.dockerIndex,
      manifests: [{ ...child, mediaType: MEDIA_TYPES.dockerManifest, digest: image.digest }],
    };
    await publisher.push('app', list, { mediaType: MEDIA_TYPES.dockerIndex });
    expect((await manifests('app')).map(row => row.media_type)).toEqual([
      MEDIA_TYPES.ociManifest,
      MEDIA_TYPES.ociIndex,
      MEDIA_TYPES.ociIndex,
      MEDIA_TYPES.dockerManifest,
      MEDIA_TYPES.dockerIndex,
    ]);
  });

  it('names every blob and manifest that the repository lacks, and settles nothing', async () => {
    const body = await anImage('other');
    const missing = [body.config.digest, body.layers[0]?.digest].toSorted();
    await expect(publisher.push('app', body)).rejects.toMatchObject({
      code: 'ERR_OCI_MANIFEST_BLOB_UNKNOWN',
      details: { digests: missing },
    });
    expect(await kind('app')).toBeUndefined();
    const index = { schemaVersion: 2, manifests: [{ mediaType: MEDIA_TYPES.ociManifest, digest: sha256('child'), size: 5 }] };
    await expect(publisher.push('app', index, { mediaType: MEDIA_TYPES.ociIndex })).rejects.toMatchObject({
      details: { digests: [sha256('child')] },
    });
  });

  it('does not take a blob for there because another tenant has it', async () => {
    const body = await anImage('app', 'secret');
    await publisher.anew();
    await expect(publisher.push('app', body)).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_BLOB_UNKNOWN' });
  });

  it('lets a blob of an earlier manifest be used again without another upload', async () => {
    const body = await anImage('app', 'shared');
    await publisher.push('app', body);
    await publisher.sql(`delete from content.repository_blobs where tenant = $1`, [publisher.tenant]);
    expect((await publisher.push('app', { ...body, annotations: { again: 'yes' } })).state).toBe('stored');
  });

  it('lets layers that lie elsewhere be absent, and keeps those that are there', async () => {
    const body = await anImage('app', 'here');
    const [here] = body.layers;
    const urls = ['https://store.test/blob'];
    const absent = { mediaType: LAYER, digest: sha256('elsewhere'), size: 9, urls };
    const { digest } = await publisher.push('app', { ...body, layers: [{ ...here, urls }, absent] });
    expect(await edges(digest)).toEqual([body.config.digest, here?.digest].toSorted());
  });

  it('lets one kind win when the first manifests of two kinds race', async () => {
    for (let round = 0; round < 5; round++) {
      const name = `acme.race${round}`;
      const image = await anImage(name);
      const { body } = await publisher.packBody({ packId: name });
      const results = await Promise.allSettled([
        publisher.push(name, image),
        publisher.push(name, body),
        publisher.push(name, { ...image, annotations: { b: 'c' } }),
      ]);
      const winner = await kind(name);
      expect(results.map(({ status }) => status)).toEqual(
        winner === 'pack' ? ['rejected', 'fulfilled', 'rejected'] : ['fulfilled', 'rejected', 'fulfilled'],
      );
    }
  });

  it('lets many push to one repository at the same time', async () => {
    const bodies = await Promise.all(Array.from({ length: 12 }, (_, n) => anImage('app', `layer ${n}`)));
    const replies = await Promise.all(bodies.map((body, n) => publisher.push('app', body, { tags: [`v${n}`, 'latest'] })));
    expect(await manifests('app')).toHaveLength(12);
    const found = await tags('app');
    expect(Object.keys(found)).toHaveLength(13);
    expect(replies.map(({ digest }) => digest)).toContain(found['latest']);
  });

  it('refuses one of those that are pushed at the same time, and takes the others', async () => {
    const bodies = await Promise.all(Array.from({ length: 12 }, (_, n) => anImage('app', `layer ${n}`)));
    const absent = { mediaType: LAYER, digest: sha256('absent'), size: 1 };
    const results = await Promise.allSettled(
      bodies.map((body, n) => publisher.push('app', n === 7 ? { ...body, layers: [absent] } : body, { tags: [`v${n}`] })),
    );
    expect(results.map(({ status }) => status)).toEqual(bodies.map((_, n) => (n === 7 ? 'rejected' : 'fulfilled')));
    expect(results[7]).toMatchObject({ reason: { code: 'ERR_OCI_MANIFEST_BLOB_UNKNOWN', details: { digests: [absent.digest] } } });
    expect(await manifests('app')).toHaveLength(11);
    expect(Object.keys(await tags('app'))).not.toContain('v7');
  });

  it('reads what was recorded before, which is what others will be given', async () => {
    const body = await anImage('app', 'will be damaged');
    const { objectKey } = await publisher.push('app', body);
    expect((await publisher.push('app', body)).objectKey).toBe(objectKey);
    publisher.blobs.objects.set(objectKey, Buffer.from('{}'));
    await expect(publisher.push('app', body)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });

  it('does not make a pusher wait for another’s commit', async () => {
    await publisher.push('app', await anImage('app', 'first'), { tags: ['held'] });
    const [slow, fast] = [await anImage('app', 'slow'), await anImage('app', 'fast')];
    // Whoever moves this tag waits until the transaction that holds it has ended.
    const holding = publisher.dataSource.createQueryRunner();
    await holding.query(`begin; select set_config('app.tenant', '${publisher.tenant}', true)`);
    await holding.query(`update registry.tags set updated_by = 'user:slow' where tag = 'held'`);
    const held = publisher.push('app', slow, { tags: ['held'] });
    expect((await publisher.push('app', fast, { tags: ['fast'] })).state).toBe('stored');
    await holding.query('commit');
    await holding.release();
    expect((await held).state).toBe('stored');
  });

  it('takes nothing while the tenant is sealed, and the same when it is not', async () => {
    const body = await anImage('app');
    const seal = (sealed: boolean) =>
      publisher.unitOfWork.run(publisher.tenant, tx =>
        tx.seal.put(publisher.tenant, {
          ...{ sealed, by: sealed ? 'api' : null, since: '2026-01-01T00:00:00Z', changedBy: 'user:root', reason: 'x', pendingUnseal: null },
        }),
      );
    const unitOfWork = unsealedOnly(publisher.unitOfWork, false);
    await seal(true);
    await expect(publisher.push('app', body, { unitOfWork })).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    await expect(publisher.pushPack({}, { unitOfWork })).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    expect(await kind('app')).toBeUndefined();
    await seal(false);
    expect((await publisher.push('app', body, { unitOfWork })).state).toBe('stored');
  });

  it('refuses what is a pack in part, and generic content in a pack’s repository', async () => {
    await publisher.push('app', await anImage('app'));
    const { body } = await publisher.packBody({ packId: 'app' });
    await expect(publisher.push('app', body)).rejects.toMatchObject({ code: 'ERR_OCI_REPOSITORY_KIND' });
    const half = await anImage('half');
    await expect(publisher.push('half', { ...half, artifactType: MEDIA_TYPES.pack })).rejects.toMatchObject({
      code: 'ERR_OCI_MANIFEST_INVALID',
    });
    await publisher.pushPack();
    await expect(publisher.push('acme.hello', await anImage('acme.hello'))).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID' });
  });
});
