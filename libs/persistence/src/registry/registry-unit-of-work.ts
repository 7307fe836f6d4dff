import { RegistryUnitOfWork, type RegistryTx } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresKitStore } from '../kits/kit-store';
import { PostgresOutbox } from '../outbox';
import { inTransaction } from '../transaction';
import { PostgresAttestationStore } from './attestation-store';
import { PostgresChannelStore } from './channel-store';
import { PostgresIdempotencyStore } from './idempotency-store';
import { PostgresNamespacePolicyStore } from './namespace-policy-store';
import { PostgresPackStore } from './pack-store';
import { PostgresPendingVersionStore } from './pending-version-store';
import { PostgresRepositoryStore } from './repository-store';
import { PostgresSealStore } from './seal-store';
import { PostgresTrustBundleStore, PostgresTrustWatchStore } from './trust-bundle-store';
import { PostgresTrustStore } from './trust-store';

export interface UnitOfWorkHooks {
  /** Called after a commit that appended events. */
  readonly committed: () => void;
  readonly traceparent: () => string | null;
}

export class PostgresRegistryUnitOfWork extends RegistryUnitOfWork {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
  ) {
    super();
  }

  async run<T>(tenant: string, work: (tx: RegistryTx) => Promise<T>): Promise<T> {
    let outbox: PostgresOutbox | undefined;
    const result = await inTransaction(this.dataSource, tenant, sql => {
      outbox = new PostgresOutbox(sql, 'registry', this.hooks.traceparent);
      return work({
        packs: new PostgresPackStore(sql),
        repositories: new PostgresRepositoryStore(sql),
        pendingVersions: new PostgresPendingVersionStore(sql),
        attestations: new PostgresAttestationStore(sql),
        channels: new PostgresChannelStore(sql),
        trust: new PostgresTrustStore(sql),
        trustBundles: new PostgresTrustBundleStore(sql),
        trustWatches: new PostgresTrustWatchStore(sql),
        namespacePolicies: new PostgresNamespacePolicyStore(sql),
        kits: new PostgresKitStore(sql),
        seal: new PostgresSealStore(sql),
        idempotency: new PostgresIdempotencyStore(sql),
        outbox,
      });
    });
    if (outbox?.used) this.hooks.committed();
    return result;
  }
}
