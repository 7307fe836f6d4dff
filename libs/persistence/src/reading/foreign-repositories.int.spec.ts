import { sha256 } from '@packs/domain';
import type { RepositoryView } from '@packs/ports';
import type { Client } from 'pg';
import { publish, setUpTrust, SpecDatabase } from '../persistence.fixture';
import { PostgresRepositoryReadModel } from './repository-read-model';

const ABSENT = sha256('nowhere');

describe('repositories of another tenant', () => {
  let db: SpecDatabase;
  let admin: Client;
  let reads: PostgresRepositoryReadModel;
  const viewOf = (tenant: string, repository: string): RepositoryView => ({ tenant, namespace: 'acme', repository, mayPush: false });

  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    reads = new PostgresRepositoryReadModel(await db.as('api-gateway'));
    const publisher = await db.as('publisher');
    await setUpTrust(publisher, 'acme');
    await publish(publisher, { packId: 'secret', version: '1.0.0' });
    await publish(publisher, { packId: 'shared', version: '1.0.0', tenantVisibility: ['globex'] });
  });
  afterAll(() => db.close());

  it('are seen by each of several callers at once as by that caller alone', async () => {
    const asked = (['acme', 'globex', '', 'acme', 'globex'] as const).flatMap(tenant =>
      ['secret', 'shared', 'absent'].map(repository => ({ tenant, repository })),
    );
    const found = await Promise.all(
      asked.map(({ tenant, repository }) => reads.findManifest(viewOf(tenant, repository), { tag: '1.0.0' })),
    );
    expect(asked.filter((_, at) => found[at] !== undefined)).toEqual(
      asked.filter(
        ({ tenant, repository }) => repository !== 'absent' && (tenant === 'acme' || (tenant === 'globex' && repository === 'shared')),
      ),
    );
    expect(new Set(found.flatMap(one => one?.version?.packId ?? []))).toEqual(new Set(['secret', 'shared']));
  });

  /** How often each function of the registry is called for one lookup by globex; a session counts from its beginning. */
  async function calls(text: string, repository: string, reference: string): Promise<readonly unknown[]> {
    const session = await db.client();
    await session.query(`set track_functions = 'pl'`);
    await session.query('set role packs_gateway');
    await session.query('begin');
    await session.query(text, ['globex', 'acme', repository, reference, false]);
    const { rows } = await session.query(
      `select funcname, calls from pg_stat_xact_user_functions where schemaname = 'registry' order by funcname`,
    );
    await session.query('rollback');
    return rows;
  }

  it.each([
    ['manifest by tag', 'select * from registry.read_manifest($1, $2, $3, $4, null, $5)', '1.0.0'],
    ['manifest by digest', 'select * from registry.read_manifest($1, $2, $3, null, $4, $5)', undefined],
    ['blob', 'select * from registry.read_blob($1, $2, $3, $4, $5)', undefined],
    [
      'blob among others',
      'select * from registry.read_blobs(array[$1::text], array[$2::text], array[$3::text], array[$4::text], array[$5::boolean])',
      undefined,
    ],
    ['list of tags', 'select * from registry.list_tags($1, $2, $3, $4, 100, $5)', ''],
    ['list of referrers', `select * from registry.list_referrers($1, $2, $3, $4, '', null, 100, $5)`, undefined],
  ])('cost the same questions whether their %s is there or not', async (_, text, tag) => {
    const { rows } = await admin.query<{ digest: string }>(
      text.includes('read_blob')
        ? `select blob_digest as digest from registry.manifest_blobs where repository = 'secret'`
        : `select digest from registry.manifests where repository = 'secret'`,
    );
    const there = tag ?? rows[0]?.digest ?? '';
    const asked = await calls(text, 'secret', there);
    expect(asked.length).toBeGreaterThan(1);
    expect(await calls(text, 'secret', tag === undefined ? ABSENT : 'none')).toEqual(asked);
    expect(await calls(text, 'absent', there)).toEqual(asked);
  });
});
