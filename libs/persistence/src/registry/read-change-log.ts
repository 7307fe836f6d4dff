import { ReadChangeLog } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { callEach } from '../transaction';

/** Rows that one statement looks at. */
const AT_A_TIME = 10_000;

export class PostgresReadChangeLog extends ReadChangeLog {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async prune(before: Date): Promise<number> {
    for (let pruned = 0; ;) {
      const text = 'select registry.prune_read_changes($1, $2)::int as gone';
      const [row] = await callEach<{ gone: number }>(this.dataSource, text, [before, AT_A_TIME]);
      const gone = row?.gone ?? 0;
      pruned += gone;
      if (gone < AT_A_TIME) return pruned;
    }
  }
}
