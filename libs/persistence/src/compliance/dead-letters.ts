import { sha256 } from '@packs/domain';
import type { DeadLetterSummary } from '@packs/contracts';
import { DeadLetters, type DeadMessage } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import { inTransaction, readAs } from '../transaction';

interface DeadLetterRow {
  id: string;
  consumer: string;
  tenant: string;
  subject: string;
  event_id: string | null;
  payload: Buffer;
  reason: string;
  attempts: number;
  dead_at: Date;
  replayed_at: Date | null;
}

const COLUMNS = 'id, consumer, tenant, subject, event_id, payload, reason, attempts, dead_at, replayed_at';

export class PostgresDeadLetters extends DeadLetters {
  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: string,
    /** Whose letters those are that name no tenant. */
    private readonly operatorTenant: string,
  ) {
    super();
  }

  async add(message: DeadMessage): Promise<void> {
    const tenant = message.tenant ?? this.operatorTenant;
    await inTransaction(this.dataSource, tenant, sql =>
      sql.query(
        `insert into ${this.schema}.dead_letters (id, consumer, tenant, subject, event_id, payload_hash, payload, reason, attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (consumer, payload_hash) do nothing`,
        [
          ulid(),
          message.consumer,
          tenant,
          message.subject,
          message.eventId,
          sha256(message.payload),
          message.payload,
          message.reason.slice(0, 2_000),
          message.attempts,
        ],
      ),
    );
  }

  async list(tenant: string, after: string | null, limit: number): Promise<{ deadLetters: DeadLetterSummary[]; next: string | null }> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<DeadLetterRow>(`select ${COLUMNS} from ${this.schema}.dead_letters where id > $1 order by id limit $2`, [
        after ?? '',
        limit + 1,
      ]),
    );
    const page = rows.slice(0, limit).map(toSummary);
    return { deadLetters: page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  async find(tenant: string, id: string): Promise<{ summary: DeadLetterSummary; message: DeadMessage } | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<DeadLetterRow>(`select ${COLUMNS} from ${this.schema}.dead_letters where id = $1`, [id]),
    );
    return row && { summary: toSummary(row), message: { ...row, eventId: row.event_id } };
  }

  async markReplayed(tenant: string, id: string): Promise<DeadLetterSummary | undefined> {
    const [row] = await inTransaction(this.dataSource, tenant, sql =>
      sql.query<DeadLetterRow>(`update ${this.schema}.dead_letters set replayed_at = now() where id = $1 returning ${COLUMNS}`, [id]),
    );
    return row && toSummary(row);
  }
}

function toSummary(row: DeadLetterRow): DeadLetterSummary {
  return {
    id: row.id,
    consumer: row.consumer,
    subject: row.subject,
    eventId: row.event_id,
    reason: row.reason,
    attempts: row.attempts,
    deadAt: row.dead_at.toISOString(),
    replayedAt: row.replayed_at?.toISOString() ?? null,
  };
}
