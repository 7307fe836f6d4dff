import type { Digest } from '@packs/domain';
import { IdempotencyStore, type KeptReply } from '@packs/ports';
import type { Sql } from '../transaction';

export class PostgresIdempotencyStore extends IdempotencyStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async find(tenant: string, key: string): Promise<{ requestHash: Digest; reply: KeptReply } | undefined> {
    // Requests under one key take turns until their transactions end: the later one finds the earlier one's answer.
    this.sql.send(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`idempotency ${tenant} ${key}`]);
    const [row] = await this.sql.query<{ request_hash: Digest; reply: KeptReply }>(
      `select request_hash, reply from registry.idempotency_keys where tenant = $1 and key = $2`,
      [tenant, key],
    );
    return row && { requestHash: row.request_hash, reply: row.reply };
  }

  async put(tenant: string, key: string, requestHash: Digest, reply: KeptReply): Promise<void> {
    this.sql.send(`insert into registry.idempotency_keys (tenant, key, request_hash, reply) values ($1, $2, $3, $4)`, [
      tenant,
      key,
      requestHash,
      JSON.stringify(reply),
    ]);
  }
}
