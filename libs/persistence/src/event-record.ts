import type { EventEnvelope } from '@packs/contracts';
import { EventRecord } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction } from './transaction';

const PAGE = 500;
/** The outbox of each process that emits events. */
export const OUTBOX_SCHEMAS = ['registry', 'mirror', 'parity'] as const;

interface RecordRow {
  producer: number;
  id: string;
  created_at: Date;
  payload: Buffer;
}

export class PostgresEventRecord extends EventRecord {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async *read({ since, tenant }: { since: Date | null; tenant: string | null }): AsyncIterable<EventEnvelope> {
    let last: RecordRow | undefined;
    for (;;) {
      const after = last;
      const rows = await inTransaction(this.dataSource, null, sql =>
        sql.query<RecordRow>(
          `select * from (${OUTBOX_SCHEMAS.map(pageOf).join(' union all ')}) record order by created_at, producer, id limit ${PAGE}`,
          [since, tenant, after?.created_at ?? null, after?.producer ?? null, after?.id ?? null],
        ),
      );
      for (const row of rows) yield JSON.parse(row.payload.toString('utf8')) as EventEnvelope;
      last = rows.at(-1);
      if (rows.length < PAGE || !last) return;
    }
  }
}

/** A page of one outbox behind the cursor, by its index: a page costs the same at any depth. Parameters: since, tenant, cursor. */
function pageOf(schema: string, producer: number): string {
  return `(select ${producer} as producer, id, created_at, payload from ${schema}.outbox
    where ($1::timestamptz is null or created_at >= $1) and ($2::text is null or tenant = $2)
      and ($3::timestamptz is null or (created_at >= $3 and (created_at, ${producer}, id) > ($3, $4::int, $5::bigint)))
    order by created_at, id limit ${PAGE})`;
}
