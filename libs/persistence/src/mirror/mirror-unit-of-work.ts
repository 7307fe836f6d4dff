import { MirrorUnitOfWork, type MirrorTx } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresInbox } from '../inbox';
import { PostgresOutbox } from '../outbox';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { PostgresSealStore } from '../registry/seal-store';
import { inTransaction } from '../transaction';
import { PostgresMirrorJobStore } from './mirror-job-store';
import { PostgresMirrorStore } from './mirror-store';

export class PostgresMirrorUnitOfWork extends MirrorUnitOfWork {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
  ) {
    super();
  }

  async run<T>(tenant: string, work: (tx: MirrorTx) => Promise<T>): Promise<T> {
    const result = await inTransaction(this.dataSource, tenant, sql =>
      work({
        mirrors: new PostgresMirrorStore(sql),
        jobs: new PostgresMirrorJobStore(sql),
        seal: new PostgresSealStore(sql),
        inbox: new PostgresInbox(sql, 'mirror'),
        outbox: new PostgresOutbox(sql, 'mirror', this.hooks.traceparent),
      }),
    );
    this.hooks.committed();
    return result;
  }
}
