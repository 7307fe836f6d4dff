import { ReverificationReadModel, type ReverificationState } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { REVERIFICATION_COLUMNS, toReverificationState, type ReverificationRow } from '../registry/reverification-rows';
import { readAs } from '../transaction';

export class PostgresReverificationReadModel extends ReverificationReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async find(tenant: string): Promise<ReverificationState | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<ReverificationRow>(`select ${REVERIFICATION_COLUMNS} from registry.reverifications where tenant = $1`, [tenant]),
    );
    return row && toReverificationState(row);
  }
}
