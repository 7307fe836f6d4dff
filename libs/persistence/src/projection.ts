import { DomainError } from '@packs/domain';
import type { DataSource } from 'typeorm';
import { OUTBOX_SCHEMAS } from './event-record';
import { inTransaction, type Sql } from './transaction';

/** Rows that one consumer makes from events, and that can be made anew from the record of events, one tenant at a time. */
export interface Projection {
  readonly schema: string;
  readonly consumer: string;
  /** Emptied by a rebuild; each has a column `tenant`. */
  readonly tables: readonly string[];
}

/**
 * One transaction in which a consumer may change a tenant's part of its projection.
 * @throws DomainError ERR_PACK_UNAVAILABLE (`retry: later`) while that part is being rebuilt: waiting here would hold up other tenants
 */
export function inProjection<T>(
  dataSource: DataSource,
  projection: Projection,
  tenant: string,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  return inTransaction(dataSource, tenant, async sql => {
    const [lock] = await sql.query<{ taken: boolean }>(`select pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) as taken`, [
      lockName(projection, tenant),
    ]);
    if (!lock?.taken)
      throw new DomainError('ERR_PACK_UNAVAILABLE', `${projection.consumer} is being rebuilt for this tenant`, { retry: 'later' });
    return work(sql);
  });
}

/**
 * Empties a tenant's part of a projection, with what the consumer remembers of the tenant's messages, and has `work` fill it, all in one
 * transaction: until it commits everybody reads the old rows, and when it is cut off they stay. An event that `work` sees is remembered
 * when the lock falls; one it does not see is delivered afterwards.
 * @throws DomainError ERR_PACK_CONFLICT while another rebuild is under way
 */
export function rebuildProjection<T>(
  dataSource: DataSource,
  projection: Projection,
  tenant: string,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const { schema, consumer, tables } = projection;
  return inTransaction(dataSource, tenant, async sql => {
    await sql.query(`set local statement_timeout = 0`);
    const name = lockName(projection, tenant);
    const [turn] = await sql.query<{ taken: boolean }>(`select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken`, [
      `${name}/rebuild`,
    ]);
    if (!turn?.taken) throw new DomainError('ERR_PACK_CONFLICT', `${consumer} is being rebuilt already`, { retry: 'later' });
    await sql.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [name]);
    for (const table of tables) await sql.query(`delete from ${schema}.${table} where tenant = $1`, [tenant]);
    const seen = OUTBOX_SCHEMAS.map(outbox => `select event_id from ${outbox}.outbox where tenant = $2`).join(' union all ');
    await sql.query(`delete from ${schema}.inbox where consumer = $1 and message_id in (${seen})`, [consumer, tenant]);
    return work(sql);
  });
}

function lockName({ schema, consumer }: Projection, tenant: string): string {
  return `${schema}/${consumer}/${tenant}`;
}
