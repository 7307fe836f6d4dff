import type { PolicyVersionList, PolicyVersionsQuery } from '@packs/contracts';
import type { SigningPolicy } from '@packs/domain';
import { TrustReadModel, type ImportedTrustBundle, type TrustState } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresTrustBundleStore } from '../registry/trust-bundle-store';
import { PostgresTrustStore } from '../registry/trust-store';
import { readAs } from '../transaction';

interface PolicyRow {
  document: SigningPolicy;
  digest: string;
  active: boolean;
  created_at: Date;
  created_by: string;
  superseded_at: Date | null;
}

export class PostgresTrustReadModel extends TrustReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  state(tenant: string): Promise<TrustState> {
    return readAs(this.dataSource, tenant, sql => new PostgresTrustStore(sql).state(tenant, 'none'));
  }

  bundle(tenant: string): Promise<ImportedTrustBundle | undefined> {
    return readAs(this.dataSource, tenant, sql => new PostgresTrustBundleStore(sql).current(tenant));
  }

  async policyVersions(tenant: string, name: string, { limit, cursor }: PolicyVersionsQuery): Promise<PolicyVersionList | undefined> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<PolicyRow>(
        `select p.document, p.digest, p.active, p.created_at, p.created_by, n.created_at as superseded_at
         from registry.policies p
         left join registry.policies n on n.tenant = p.tenant and n.name = p.name and n.version = p.version + 1
         where p.tenant = $1 and p.name = $2 and ($3::integer is null or p.version < $3) order by p.version desc limit $4`,
        [tenant, name, cursor ?? null, limit + 1],
      ),
    );
    if (rows.length === 0 && cursor === undefined) return undefined;
    const page = rows.slice(0, limit);
    return { versions: page.map(toView), next: rows.length > limit ? String(page.at(-1)?.document.version) : null };
  }
}

function toView({ document, digest, active, created_at, created_by, superseded_at }: PolicyRow): PolicyVersionList['versions'][number] {
  const at = { createdAt: created_at.toISOString(), createdBy: created_by, supersededAt: superseded_at?.toISOString() ?? null };
  return { ...document, digest, active, ...at };
}
