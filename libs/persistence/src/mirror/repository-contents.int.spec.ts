import { MEDIA_TYPES, type Digest } from '@packs/domain';
import type { DataSource } from 'typeorm';
import { aStoredBlob, AT, publish, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresGenericContent } from '../registry/generic-content';
import { PostgresRepositoryContents } from './repository-contents';

describe('PostgresRepositoryContents', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let contents: PostgresRepositoryContents;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    contents = new PostgresRepositoryContents(await db.as('mirror-worker'));
  });
  afterAll(() => db.close());

  /** As the publisher takes a push. */
  async function push(tenant: string, blobs: readonly Digest[], tag: string): Promise<{ missing: readonly Digest[]; digest: Digest }> {
    const manifest = aStoredBlob(`manifest ${tenant} ${tag}`);
    const record = { digest: manifest.digest, mediaType: MEDIA_TYPES.ociManifest, artifactType: '', subject: null, annotations: {} };
    const about = {
      tenant,
      repository: 'app',
      manifest: record,
      written: manifest,
      tags: [tag],
      blobs,
      foreignBlobs: [],
      parts: [],
      children: [],
      at: AT,
      actor: 'client:x',
    };
    const { missing } = await new PostgresGenericContent(publisher, false).put(about);
    return { missing, digest: manifest.digest };
  }

  it('puts a blob where a push finds it, and nowhere else', async () => {
    const blob = aStoredBlob('layer');
    await contents.link('acme', 'app', 'client:x', blob);
    await contents.link('acme', 'app', 'client:x', blob);
    expect([...(await contents.blobs('acme', 'app', [blob.digest])).values()]).toEqual([blob]);
    for (const [tenant, repository] of [
      ['acme', 'other'],
      ['stranger', 'app'],
    ] as const)
      expect((await contents.blobs(tenant, repository, [blob.digest])).size).toBe(0);
    expect((await push('stranger', [blob.digest], 'v1')).missing).toEqual([blob.digest]);
    const { missing, digest } = await push('acme', [blob.digest], 'v1');
    expect([missing, await contents.kind('acme', 'app'), await contents.tagged('acme', 'app', 'v1')]).toEqual([[], 'generic', digest]);
    expect(await contents.manifests('acme', 'app', [digest, blob.digest])).toEqual(new Set([digest]));
    expect([await contents.manifests('stranger', 'app', [digest]), await contents.tagged('stranger', 'app', 'v1')]).toEqual([
      new Set(),
      undefined,
    ]);
  });

  it('knows the versions of packs by their manifests and their tags', async () => {
    const { version } = await publish(publisher, { tenant: 'acme', packId: 'hello', version: '1.0.0+linux' });
    const { digest } = version.ociManifest;
    expect(await contents.kind('acme', 'hello')).toBe('pack');
    expect(await contents.versionOf('acme', 'hello', digest)).toEqual({ version: '1.0.0+linux', state: 'published' });
    expect([await contents.tagged('acme', 'hello', '1.0.0_linux'), await contents.tagged('acme', 'hello', 'edge')]).toEqual([
      digest,
      undefined,
    ]);
    expect(await contents.versionOf('stranger', 'hello', digest)).toBeUndefined();
  });

  it('takes nothing for a tenant that is sealed', async () => {
    await unitOfWorkOn(publisher).run('sealed', tx =>
      tx.seal.put('sealed', { sealed: true, by: 'api', since: AT, changedBy: 'client:x', reason: 'x', pendingUnseal: null }),
    );
    const blob = aStoredBlob('late');
    await expect(contents.link('sealed', 'app', 'client:x', blob)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    expect((await contents.blobs('sealed', 'app', [blob.digest])).size).toBe(0);
  });
});
