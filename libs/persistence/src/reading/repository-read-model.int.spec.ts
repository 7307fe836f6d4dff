import { randomUUID } from 'node:crypto';
import { sha256, type Digest } from '@packs/domain';
import type { NewVersion, RepositoryView } from '@packs/ports';
import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { AT, publish, setUpTrust, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresRepositoryReadModel } from './repository-read-model';

const ABSENT = sha256('nowhere');
const OTHER = 'application/vnd.other';

describe('PostgresRepositoryReadModel', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let admin: Client;
  let reads: PostgresRepositoryReadModel;
  let hello: NewVersion;
  let shared: NewVersion;
  const at = (repository: string, view: Partial<RepositoryView> = {}): RepositoryView => ({
    ...{ tenant: 'acme', namespace: 'acme', repository, mayPush: false },
    ...view,
  });
  const asGlobex = (repository: string) => at(repository, { tenant: 'globex' });

  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    admin = await db.client();
    reads = new PostgresRepositoryReadModel(await db.as('api-gateway'));
    await setUpTrust(publisher, 'acme');
    hello = (await publish(publisher, { packId: 'hello', version: '1.0.0+linux', channel: 'stable', signatures: ['one', 'two'] })).version;
    await publish(publisher, { packId: 'hello', version: '1.1.0' });
    shared = (await publish(publisher, { packId: 'shared', tenantVisibility: ['globex'] })).version;
    await unitOfWorkOn(publisher).run('acme', tx =>
      tx.packs.deprecate('acme', 'hello', '1.1.0', { at: AT, actor: 'user:bob', reason: 'old', replacement: 'hello@2' }),
    );
    await admin.query(`insert into registry.repositories values ('acme', 'charts/web', 'generic')`);
  });
  afterAll(() => db.close());

  async function blob(text: string): Promise<Digest> {
    const digest = sha256(text);
    await admin.query(`insert into content.blobs values ($1, 4, $2, '') on conflict do nothing`, [digest, randomUUID()]);
    return digest;
  }

  async function manifest(repository: string, text: string, row: { subject?: Digest; artifactType?: string; blobs?: Digest[] } = {}) {
    const digest = await blob(text);
    await admin.query(
      `insert into registry.manifests (tenant, repository, digest, media_type, artifact_type, subject, annotations)
       values ('acme', $1, $2, 'm', $3, $4, '{"a":"b"}')`,
      [repository, digest, row.artifactType ?? '', row.subject ?? null],
    );
    for (const one of row.blobs ?? []) {
      await admin.query(`insert into registry.manifest_blobs values ('acme', $1, $2, $3)`, [repository, digest, one]);
    }
    return digest;
  }

  async function pending(packId: string, version: string, digest: Digest) {
    await admin.query(
      `insert into registry.pending_versions (tenant, pack_id, version, version_core, manifest_digest, bundle_digest, channel, reasons,
         claimed_at, claimed_by, expires_at) values ('acme', $1, $2, $2, $3, $4, 'edge', '{}', now(), 'user:alice', now() + interval '1 day')`,
      [packId, version, digest, await blob('bundle')],
    );
  }

  it.each<[string, () => { tag: string } | { digest: Digest }]>([
    ['its digest', () => ({ digest: hello.ociManifest.digest })],
    ['the tag of its version', () => ({ tag: '1.0.0_linux' })],
    ['a channel that shows it', () => ({ tag: 'stable' })],
  ])('finds the manifest of a version by %s', async (_, reference) => {
    expect(await reads.findManifest(at('hello'), reference())).toMatchObject({
      mediaType: hello.ociManifest.mediaType,
      blob: { digest: hello.ociManifest.digest, size: hello.ociManifest.size },
      kind: 'pack',
      version: { packId: 'hello', version: '1.0.0+linux', state: 'published', verifiedEpoch: 1, deprecation: null },
      digestOnly: false,
    });
  });

  it('says of a version that it is deprecated, and by what it is replaced', async () => {
    const found = await reads.findManifest(at('hello'), { tag: '1.1.0' });
    expect(found?.version).toMatchObject({ deprecation: { reason: 'old', replacement: 'hello@2' } });
  });

  it('finds a referrer, with the version it belongs to', async () => {
    const [signature] = hello.signatures;
    const found = await reads.findManifest(at('hello'), { digest: signature?.manifest.digest ?? ABSENT });
    expect(found?.version).toMatchObject({ version: '1.0.0+linux', state: 'published' });
  });

  it.each([
    ['a tag', { tag: '9.9.9' }],
    ['a digest', { digest: ABSENT }],
  ])('finds nothing by %s that is not there', async (_, reference) => {
    expect(await reads.findManifest(at('hello'), reference)).toBeUndefined();
    expect(await reads.findManifest(at('nowhere'), reference)).toBeUndefined();
  });

  it('shows another tenant the versions that are shared with it, and of the rest nothing', async () => {
    const [signature] = shared.signatures;
    for (const digest of [shared.ociManifest.digest, signature?.manifest.digest ?? ABSENT]) {
      expect((await reads.findManifest(asGlobex('shared'), { digest }))?.blob.digest).toBe(digest);
    }
    expect((await reads.findBlob(asGlobex('shared'), shared.bundle.digest))?.versions).toHaveLength(1);
    expect(await reads.listTags(asGlobex('shared'), { limit: 10 })).toEqual({ items: ['1.0.0', 'edge'], more: false });
    expect(await reads.findManifest(asGlobex('hello'), { tag: 'stable' })).toBeUndefined();
    expect(await reads.findManifest(asGlobex('hello'), { digest: hello.ociManifest.digest })).toBeUndefined();
    expect(await reads.findBlob(asGlobex('hello'), hello.bundle.digest)).toBeUndefined();
    expect(await reads.listTags(asGlobex('hello'), { limit: 10 })).toBeUndefined();
    expect(await reads.listTags(asGlobex('charts/web'), { limit: 10 })).toBeUndefined();
    expect(await reads.listReferrers(asGlobex('hello'), hello.ociManifest.digest, { limit: 10 })).toEqual({ items: [], more: false });
    expect(await reads.listRepositories('globex', { limit: 10 })).toEqual({ items: [], more: false });
  });

  it('finds blobs through manifests, and those only uploaded for who may push', async () => {
    expect(await reads.findBlob(at('hello'), hello.bundle.digest)).toMatchObject({
      blob: { digest: hello.bundle.digest, objectKey: hello.bundle.objectKey },
      versions: [{ version: '1.0.0+linux' }],
    });
    const layer = await blob('layer');
    await manifest('charts/web', 'chart', { blobs: [layer] });
    expect(await reads.findBlob(at('charts/web'), layer)).toMatchObject({ versions: null });
    expect(await reads.findBlob(at('hello'), layer)).toBeUndefined();
    const uploaded = await blob('uploaded');
    await admin.query(`insert into content.repository_blobs values ('acme', 'charts/web', $1, 'user:alice')`, [uploaded]);
    expect(await reads.findBlob(at('charts/web'), uploaded)).toBeUndefined();
    expect(await reads.findBlob(at('charts/web', { mayPush: true }), uploaded)).toMatchObject({ versions: null });
    expect(await reads.findBlob(at('charts/web', { mayPush: true, tenant: 'globex' }), uploaded)).toBeUndefined();
  });

  it('shows a version that waits for signatures to those alone who may push', async () => {
    const waiting = await manifest('hello', 'waiting', { blobs: [await blob('waiting layer')] });
    const signature = await manifest('hello', 'its signature', { subject: waiting });
    await pending('hello', '2.0.0', waiting);
    const pusher = at('hello', { mayPush: true });
    expect((await reads.findManifest(pusher, { tag: '2.0.0' }))?.version).toMatchObject({ version: '2.0.0', state: 'pending' });
    expect((await reads.findBlob(pusher, sha256('waiting layer')))?.versions).toMatchObject([{ state: 'pending' }]);
    expect((await reads.listTags(pusher, { limit: 10 }))?.items).toContain('2.0.0');
    expect((await reads.listReferrers(pusher, waiting, { limit: 10 })).items).toHaveLength(1);
    for (const reference of [{ tag: '2.0.0' }, { digest: waiting }, { digest: signature }]) {
      expect(await reads.findManifest(at('hello'), reference)).toBeUndefined();
    }
    expect(await reads.findBlob(at('hello'), sha256('waiting layer'))).toBeUndefined();
    expect((await reads.listTags(at('hello'), { limit: 10 }))?.items).not.toContain('2.0.0');
    expect((await reads.listReferrers(at('hello'), waiting, { limit: 10 })).items).toEqual([]);
  });

  it('lists tags of versions, channels and clients in byte order, page by page', async () => {
    const all = ['1.0.0_linux', '1.1.0', 'edge', 'stable'];
    expect(await reads.listTags(at('hello'), { limit: 10 })).toEqual({ items: all, more: false });
    expect(await reads.listTags(at('hello'), { limit: 2 })).toEqual({ items: all.slice(0, 2), more: true });
    expect(await reads.listTags(at('hello'), { limit: 2, last: '1.1.0' })).toEqual({ items: all.slice(2), more: false });
    expect(await reads.listTags(at('charts/web'), { limit: 10 })).toEqual({ items: [], more: false });
    expect(await reads.listTags(at('nowhere'), { limit: 10 })).toBeUndefined();
  });

  it('lists referrers of what is there and of what is not, by type, page by page', async () => {
    const subject = hello.ociManifest.digest;
    const other = await manifest('hello', 'sbom', { subject, artifactType: OTHER });
    const all = [...hello.signatures.map(one => one.manifest.digest), other].toSorted();
    const { items, more } = await reads.listReferrers(at('hello'), subject, { limit: 2 });
    expect([items.map(item => item.digest), more]).toEqual([all.slice(0, 2), true]);
    const rest = await reads.listReferrers(at('hello'), subject, { limit: 2, last: items[1]?.digest });
    expect([rest.items.map(item => item.digest), rest.more]).toEqual([all.slice(2), false]);
    expect((await reads.listReferrers(at('hello'), subject, { limit: 9, artifactType: OTHER })).items).toEqual([
      { mediaType: 'm', digest: other, size: 4, artifactType: OTHER, annotations: { a: 'b' } },
    ]);
    expect(await reads.listReferrers(at('hello'), ABSENT, { limit: 9 })).toEqual({ items: [], more: false });
  });

  it('lists the repositories of a tenant, page by page', async () => {
    const named = (...names: string[]) => names.map(repository => ({ namespace: 'acme', repository }));
    expect(await reads.listRepositories('acme', { limit: 2 })).toEqual({ items: named('charts/web', 'hello'), more: true });
    const last = { namespace: 'acme', repository: 'hello' };
    expect(await reads.listRepositories('acme', { limit: 2, last })).toEqual({ items: named('shared'), more: false });
  });
});
