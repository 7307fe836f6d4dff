import { MEDIA_TYPES, type Digest } from '@packs/domain';
import type { GenericPush } from '@packs/ports';
import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { aStoredBlob, aVersion, AT, publish, SpecDatabase } from '../persistence.fixture';
import { inTransaction, type Sql } from '../transaction';
import { PostgresGenericContent } from './generic-content';
import { PostgresPackStore } from './pack-store';

const MANY = 3_000;
/** What a statement that looks its rows up reads of a table, however it goes about it. */
const FEW = 150;

describe('PostgresGenericContent', () => {
  let db: SpecDatabase;
  let admin: Client;
  let gateway: DataSource;
  let publisher: DataSource;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    [gateway, publisher] = [await db.as('api-gateway'), await db.as('publisher')];
  });
  afterAll(() => db.close());

  const aPush = (name: string, changes: Partial<GenericPush> = {}): GenericPush => {
    const written = aStoredBlob(`manifest ${name}`);
    return {
      ...{ tenant: 'acme', repository: 'app', tags: [name], written, actor: 'client:x', at: AT },
      manifest: { digest: written.digest, mediaType: MEDIA_TYPES.ociManifest, artifactType: '', subject: null, annotations: {} },
      ...{ blobs: [], foreignBlobs: [], children: [], parts: [MEDIA_TYPES.ociEmpty] },
      ...changes,
    };
  };
  const manifests = async (digest: Digest) =>
    (await admin.query('select repository from registry.manifests where digest = $1', [digest])).rows as unknown[];

  it('records what is generic for the process that received it', async () => {
    const push = aPush('plain');
    expect(await new PostgresGenericContent(gateway, false).put(push)).toMatchObject({ kind: 'generic', missing: [] });
    expect(await manifests(push.written.digest)).toEqual([{ repository: 'app' }]);
  });

  it.each<[string, Partial<GenericPush>]>([
    ['artifact', { manifest: { ...aPush('artifact').manifest, artifactType: MEDIA_TYPES.pack } }],
    ['config', { parts: [MEDIA_TYPES.ociEmpty, MEDIA_TYPES.packConfig] }],
    ['bundle', { parts: [MEDIA_TYPES.ociEmpty, MEDIA_TYPES.packBundle] }],
  ])('takes no %s of a pack from it, whatever it says', async (name, changes) => {
    const push = aPush(name, changes);
    await expect(new PostgresGenericContent(gateway, false).put(push)).rejects.toMatchObject({ code: '23514' });
    expect(await manifests(push.written.digest)).toEqual([]);
  });

  it('takes nothing into the repository of a pack from it', async () => {
    await publish(publisher, { packId: 'a-pack' });
    const push = aPush('beside', { repository: 'a-pack' });
    expect((await new PostgresGenericContent(gateway, false).put(push)).kind).toBe('pack');
    expect(await manifests(push.written.digest)).toEqual([]);
  });

  it.each([
    `insert into registry.manifests (tenant, repository, digest, media_type, artifact_type, annotations) values ('acme', 'app', 'x', '', '', '{}')`,
    `insert into registry.tags (tenant, repository, tag, manifest_digest, updated_at, updated_by) values ('acme', 'app', 'x', 'y', now(), '')`,
    `select * from registry.put_manifests('acme', '[]')`,
  ])('leaves no other way: %s', async statement => {
    await expect(inTransaction(gateway, 'acme', sql => sql.query(statement))).rejects.toMatchObject({ code: '42501' });
  });

  describe('with plans that were made while there was little', () => {
    /** How many rows of `content.blobs` a transaction has read until here. */
    const read = async (sql: Sql): Promise<number> => {
      const [row] = await sql.query<{ n: string }>(
        `select seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables where relid = 'content.blobs'::regclass`,
      );
      return Number(row?.n);
    };
    const linkOne = (one: DataSource, name: string) => {
      const { digest, size, objectKey, blockChecksums: checksums } = aStoredBlob(name);
      const link = { link: 0, repository: 'app', actor: 'x', session: null, whole: false, digest, size, object_key: objectKey, checksums };
      return inTransaction(one, 'acme', async sql => {
        const linked = await sql.query('select outcome from gateway.link_blobs($1, $2)', ['acme', JSON.stringify([link])]);
        expect(linked).toEqual([{ outcome: 'linked' }]);
        return read(sql);
      });
    };
    const publishOne = (one: DataSource, version: string) =>
      inTransaction(one, 'acme', async sql => {
        const packs = new PostgresPackStore(sql);
        const added = aVersion({ packId: 'growing', version });
        await packs.lockPack('acme', 'growing', added.type);
        await packs.addVersion(added);
        return read(sql);
      });

    it('reads as little when there is much', async () => {
      const [linking, publishing] = [await db.as('api-gateway', 1), await db.as('publisher', 1)];
      // Plans are kept once a connection has made some of them anew.
      for (let n = 0; n < 8; n++) {
        await linkOne(linking, `early ${n}`);
        await publishOne(publishing, `1.0.${n}`);
      }
      await admin.query(
        `insert into content.blobs (digest, size, object_key, block_checksums)
         select 'sha256:' || encode(sha256(n::text::bytea), 'hex'), 1, 'key ' || n, '' from generate_series(1, $1::int) n`,
        [MANY],
      );
      expect(await linkOne(linking, 'late')).toBeLessThan(FEW);
      expect(await publishOne(publishing, '2.0.0')).toBeLessThan(FEW);
    });
  });
});
