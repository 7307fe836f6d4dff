import type { EventEnvelope } from '@packs/contracts';
import { MESSAGE_MAX_BYTES } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { Outbox, OutboxQueue, type OutboxRow } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction, type Sql } from './transaction';

export class PostgresOutbox extends Outbox {
  constructor(
    private readonly sql: Sql,
    private readonly schema: string,
    /** W3C trace context of the work at hand, so that consumers continue its trace. */
    private readonly traceparent: () => string | null,
  ) {
    super();
  }

  /** Whether anything was appended. */
  used = false;

  async append(event: EventEnvelope): Promise<void> {
    const payload = Buffer.from(JSON.stringify(event));
    if (payload.length > MESSAGE_MAX_BYTES) {
      throw new DomainError('ERR_PACK_LIMIT', `event ${event.type} has ${payload.length} bytes; a message may have ${MESSAGE_MAX_BYTES}`);
    }
    this.used = true;
    this.sql.send(
      `insert into ${this.schema}.outbox (event_id, tenant, subject, payload, traceparent, created_at) values ($1, $2, $3, $4, $5, $6)`,
      [event.id, event.data.tenant, event.type, payload, this.traceparent(), event.time],
    );
  }
}

interface UnsentRow {
  id: string;
  event_id: string;
  subject: string;
  payload: Buffer;
  traceparent: string | null;
}

export class PostgresOutboxQueue extends OutboxQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: string,
  ) {
    super();
  }

  drain(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number> {
    return inTransaction(this.dataSource, null, async sql => {
      // Held until commit: a second replica's relay finds it taken and leaves the outbox alone, so order is kept.
      const [lock] = await sql.query<{ taken: boolean }>(`select pg_try_advisory_xact_lock(hashtext('${this.schema}.outbox')) as taken`);
      if (!lock?.taken) return 0;
      const rows = await sql.query<UnsentRow>(
        `select id, event_id, subject, payload, traceparent from ${this.schema}.outbox
         where sent_at is null order by id limit $1 for update skip locked`,
        [limit],
      );
      if (rows.length === 0) return 0;
      const acknowledged = await publish(rows.map(row => ({ position: row.id, eventId: row.event_id, ...row })));
      const sent = rows.slice(0, acknowledged).map(row => row.id);
      sql.send(`update ${this.schema}.outbox set sent_at = now() where id = any($1::bigint[]) and sent_at is null`, [sent]);
      return sent.length;
    });
  }

  async countUnsent(): Promise<number> {
    const rows = await inTransaction(this.dataSource, null, sql =>
      sql.query<{ n: string }>(`select count(*) as n from ${this.schema}.outbox where sent_at is null`),
    );
    return Number(rows[0]?.n ?? 0);
  }
}
