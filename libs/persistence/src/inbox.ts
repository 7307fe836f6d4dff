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
}
