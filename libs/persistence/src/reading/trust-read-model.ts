import { TrustReadModel, type ImportedTrustBundle, type TrustState } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresTrustBundleStore } from '../registry/trust-bundle-store';
import { PostgresTrustStore } from '../registry/trust-store';
import { readAs } from '../transaction';

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
}
