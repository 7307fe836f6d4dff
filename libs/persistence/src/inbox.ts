import { Inbox } from '@packs/ports';
import type { Sql } from './transaction';

export class PostgresInbox extends Inbox {
  constructor(
    private readonly sql: Sql,
    private readonly schema: string,
  ) {
    super();
  }

  async register(consumer: string, messageId: string): Promise<boolean> {
    const rows = await this.sql.query(
      `insert into ${this.schema}.inbox (consumer, message_id) values ($1, $2) on conflict do nothing returning message_id`,
      [consumer, messageId],
    );
    return rows.length > 0;
  }

  override async registerAll(consumer: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    // In one order, so that two replicas that are given the same messages do not wait for each other.
    const rows = await this.sql.query<{ message_id: string }>(
      `insert into ${this.schema}.inbox (consumer, message_id) select $1, unnest($2::text[]) on conflict do nothing returning message_id`,
      [consumer, messageIds.toSorted()],
    );
    return new Set(rows.map(row => row.message_id));
  }
}
