import { sha256, type Digest } from '@packs/domain';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from './content-catalog';
import { aStoredBlob, AT, publish, SpecDatabase, unitOfWorkOn } from './persistence.fixture';
import { PostgresNamespacePolicies } from './registry/namespace-policy-store';
import { inTransaction } from './transaction';

describe('a public namespace', () => {
  let db: SpecDatabase;
  let gateway: DataSource;
  let publisher: DataSource;
  let policies: PostgresNamespacePolicies;
  const generic: Record<string, Digest> = {};

  beforeAll(async () => {
    db = await SpecDatabase.open();
    [gateway, publisher] = [await db.as('api-gateway'), await db.as('publisher')];
    policies = new PostgresNamespacePolicies(gateway);
    for (const tenant of ['acme', 'closed']) {
      await publish(publisher, { tenant, packId: 'open', version: '1.0.0', tenantVisibility: ['*'], channel: 'stable' });
      await publish(publisher, { tenant, packId: 'open', version: '1.1.0-rc.1', tenantVisibility: ['*'] });
      await publish(publisher, { tenant, packId: 'open', version: '1.2.0' });
      await publish(publisher, { tenant, packId: 'shared', tenantVisibility: ['globex'] });
      await publish(publisher, { tenant, packId: 'secret' });
      await addGeneric(tenant);
    }
    await put('acme', { publicRead: true, pullByDigestOnly: false });
    await put('closed', { publicRead: false, pullByDigestOnly: true });
  });
  afterAll(() => db.close());

  /** A repository of any content, with a manifest, a blob and a tag. */
  async function addGeneric(tenant: string): Promise<void> {
    const [manifest, layer] = [aStoredBlob(`manifest of ${tenant}`), aStoredBlob(`layer of ${tenant}`)];
    await new PostgresContentCatalog(publisher).record([manifest, layer]);
    generic[tenant] = manifest.digest;
    await inTransaction(publisher, tenant, async sql => {
      await sql.query(`insert into registry.repositories (tenant, name, kind) values ($1, 'images/tool', 'generic')`, [tenant]);
      await sql.query(
        `insert into registry.manifests (tenant, repository, digest, media_type, artifact_type) values ($1, 'images/tool', $2, 'm', '')`,
        [tenant, manifest.digest],
      );
      await sql.query(
        `insert into registry.manifest_blobs (tenant, repository, manifest_digest, blob_digest) values ($1, 'images/tool', $2, $3)`,
        [tenant, manifest.digest, layer.digest],
      );
      await sql.query(
        `insert into registry.tags (tenant, repository, tag, manifest_digest, updated_at, updated_by) values ($1, 'images/tool', 'v1', $2, $3, 'user:alice')`,
        [tenant, manifest.digest, AT],
      );
    });
  }
  const put = (tenant: string, policy: { publicRead: boolean; pullByDigestOnly: boolean }) =>
    unitOfWorkOn(publisher).run(tenant, tx => tx.namespacePolicies.put(tenant, policy, { at: AT, actor: 'user:alice' }));
  const seen = async (tenant: string | null, what: string, table: string, by = gateway) => {
    const rows = await inTransaction(by, tenant, sql =>
      sql.query<{ what: string }>(`select tenant || ' ' || ${what} as what from registry.${table} order by 1`),
    );
    return rows.map(row => row.what);
  };

  it('shows somebody unknown its releases that every tenant sees', async () => {
    expect(await seen(null, `pack_id || ' ' || version`, 'pack_versions')).toEqual(['acme open 1.0.0']);
    expect(await seen(null, 'pack_id', 'packs')).toEqual(['acme open']);
    expect(await seen(null, `channel || ' ' || version`, 'channel_heads')).toEqual(['acme stable 1.0.0']);
    expect(await seen(null, 'version', 'signatures')).toEqual(['acme 1.0.0']);
  });

  it('shows everybody its generic repositories whole', async () => {
    for (const tenant of [null, 'globex']) {
      const repositories = await seen(tenant, 'name', 'repositories');
      expect([tenant, repositories.filter(name => name.includes('images'))]).toEqual([tenant, ['acme images/tool']]);
      expect(await seen(tenant, `repository || ' ' || tag`, 'tags')).toEqual(['acme images/tool v1']);
      expect(await seen(tenant, 'digest', 'manifests')).toContain(`acme ${generic['acme']}`);
      expect(await seen(tenant, 'digest', 'manifests')).not.toContain(`closed ${generic['closed']}`);
      expect(await seen(tenant, 'blob_digest', 'manifest_blobs')).toContain(`acme ${sha256('layer of acme')}`);
      expect(await seen(tenant, 'blob_digest', 'manifest_blobs')).not.toContain(`closed ${sha256('layer of closed')}`);
    }
  });

  it('shows other tenants no more of its packs than before', async () => {
    expect(await seen('initech', `pack_id || ' ' || version`, 'pack_versions')).toEqual([
      ...['acme open 1.0.0', 'acme open 1.1.0-rc.1'],
      ...['closed open 1.0.0', 'closed open 1.1.0-rc.1'],
    ]);
  });

  it('is public at the gateway alone', async () => {
    const parity = await db.as('parity-worker');
    for (const table of ['pack_versions', 'packs', 'repositories', 'manifests', 'manifest_blobs']) {
      expect([table, await seen(null, `''`, table, parity)]).toEqual([table, []]);
    }
  });

  it('is closed again with its policy', async () => {
    await put('acme', { publicRead: false, pullByDigestOnly: false });
    for (const table of ['pack_versions', 'packs', 'repositories', 'manifests', 'manifest_blobs', 'tags', 'channel_heads']) {
      expect([table, await seen(null, `''`, table)]).toEqual([table, []]);
    }
    await put('acme', { publicRead: true, pullByDigestOnly: false });
  });

  it('says so to those who ask, and a namespace that is not there says what one does that decided nothing', async () => {
    expect(await policies.of('acme')).toEqual({ publicRead: true, pullByDigestOnly: false });
    expect(await policies.of('closed')).toEqual({ publicRead: false, pullByDigestOnly: true });
    expect(await policies.publicAmong(['closed', 'acme', 'absent'])).toEqual(new Set(['acme']));
    expect(await policies.of('absent')).toEqual({ publicRead: false, pullByDigestOnly: false });
  });

  it('is changed by its own tenant', async () => {
    const open = unitOfWorkOn(publisher).run('globex', tx =>
      tx.namespacePolicies.put('closed', { publicRead: true, pullByDigestOnly: false }, { at: AT, actor: 'user:mallory' }),
    );
    await expect(open).rejects.toMatchObject({ code: '42501' });
    expect(await policies.of('closed')).toEqual({ publicRead: false, pullByDigestOnly: true });
  });
});
