import { canonicalDigest, policyDigest, type Digest, type SigningPolicy } from '@packs/domain';
import { TrustStore, type BlobRef, type TrustState } from '@packs/ports';
import type { Sql } from '../transaction';

/** The digest of trust material without a key: what a tenant has before its first. */
export const NO_TRUST = canonicalDigest({ keys: [] });

interface TenantRow {
  trust_epoch: string;
  trust_digest: Digest | null;
  share_with: string[];
  size: string | null;
  object_key: string | null;
  policies: SigningPolicy[] | null;
}

const LOCKS = { share: 'for share', update: 'for update' } as const;

export class PostgresTrustStore extends TrustStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async state(tenant: string, lock: 'none' | keyof typeof LOCKS): Promise<TrustState> {
    if (lock === 'none') return this.read(tenant);
    // In a statement of its own: one that waited for the lock would still read policies as they were before it waited.
    const [isLocked, state] = await Promise.all([this.lock(tenant, lock), this.read(tenant)]);
    if (isLocked) return state;
    this.sql.send(`insert into registry.tenants (tenant) values ($1) on conflict do nothing`, [tenant]);
    const [, made] = await Promise.all([this.lock(tenant, lock), this.read(tenant)]);
    return made;
  }

  private async read(tenant: string): Promise<TrustState> {
    const [row] = await this.sql.query<TenantRow>(
      `select t.trust_epoch, t.trust_digest, t.share_with, b.size, b.object_key,
         (select json_agg(p.document order by p.name) from registry.policies p where p.tenant = t.tenant and p.active) as policies
       from registry.tenants t left join content.blobs b on b.digest = t.trust_digest
       where t.tenant = $1`,
      [tenant],
    );
    if (!row) return { epoch: 0, digest: NO_TRUST, material: null, policies: [], shareWith: [] };
    return {
      epoch: Number(row.trust_epoch),
      digest: row.trust_digest ?? NO_TRUST,
      material: trustMaterialOf(row),
      policies: row.policies ?? [],
      shareWith: row.share_with,
    };
  }

  private async lock(tenant: string, lock: keyof typeof LOCKS): Promise<boolean> {
    return (await this.sql.query(`select 1 from registry.tenants where tenant = $1 ${LOCKS[lock]}`, [tenant])).length > 0;
  }

  async setMaterial(tenant: string, epoch: number, material: BlobRef, at?: string): Promise<void> {
    this.sql.send(
      `insert into registry.trust_watches (tenant, changed_at, check_at) values ($1, coalesce($2, now()), coalesce($2, now()))
       on conflict (tenant) do update set changed_at = excluded.changed_at, check_at = excluded.check_at`,
      [tenant, at ?? null],
    );
    await this.sql.query(`update registry.tenants set trust_epoch = $2, trust_digest = $3 where tenant = $1`, [
      tenant,
      epoch,
      material.digest,
    ]);
  }

  async addPolicy(policy: SigningPolicy, tenant: string, actor: string): Promise<void> {
    await this.sql.query(`update registry.policies set active = false where tenant = $1 and name = $2 and active`, [tenant, policy.name]);
    await this.sql.query(
      `insert into registry.policies (tenant, name, version, document, digest, active, created_by) values ($1, $2, $3, $4, $5, true, $6)`,
      [tenant, policy.name, policy.version, JSON.stringify(policy), policyDigest(policy), actor],
    );
  }

  async setShareWith(tenant: string, shareWith: readonly string[]): Promise<void> {
    await this.sql.query(`update registry.tenants set share_with = $2 where tenant = $1`, [tenant, shareWith]);
  }
}

function trustMaterialOf(row: Pick<TenantRow, 'trust_digest' | 'size' | 'object_key'>): BlobRef | null {
  if (row.trust_digest === null || row.object_key === null) return null;
  return { digest: row.trust_digest, size: Number(row.size), objectKey: row.object_key };
}
