import { COVERAGE_CONSUMER } from '@packs/contracts';
import { CoverageUnitOfWork, type CoverageTx } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresInbox } from '../inbox';
import { inProjection, rebuildProjection, type Projection } from '../projection';
import type { Sql } from '../transaction';
import { PostgresCoverageStore } from './coverage-store';

const COVERAGE: Projection = {
  schema: 'compliance',
  consumer: COVERAGE_CONSUMER.name,
  tables: ['version_coverage', 'attestation_coverage', 'channel_coverage', 'trust_coverage'],
};

export class PostgresCoverageUnitOfWork extends CoverageUnitOfWork {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  run<T>(tenant: string, work: (tx: CoverageTx) => Promise<T>): Promise<T> {
    return inProjection(this.dataSource, COVERAGE, tenant, sql => work(toTx(sql)));
  }

  rebuild<T>(tenant: string, work: (tx: CoverageTx) => Promise<T>): Promise<T> {
    return rebuildProjection(this.dataSource, COVERAGE, tenant, sql => work(toTx(sql)));
  }
}

function toTx(sql: Sql): CoverageTx {
  return { coverage: new PostgresCoverageStore(sql), inbox: new PostgresInbox(sql, COVERAGE.schema) };
}
