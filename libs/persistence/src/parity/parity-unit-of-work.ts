import { ParityUnitOfWork, type ParityTx, type PendingChange } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresInbox } from '../inbox';
import { inTransaction, type Sql } from '../transaction';
import { afterEvent, enqueueComparison } from './parity-rows';

export class PostgresParityUnitOfWork extends ParityUnitOfWork {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  run<T>(tenant: string, work: (tx: ParityTx) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, tenant, sql =>
      work({
        enqueue: (mirrorId, cause) => enqueueComparison(sql, tenant, mirrorId, cause),
        markPending: change => markPending(sql, tenant, change),
        forget: mirrorId => forget(sql, mirrorId),
        inbox: new PostgresInbox(sql, 'parity'),
      }),
    );
  }
}

async function markPending(sql: Sql, tenant: string, { mirrorId, changedAt, version }: PendingChange): Promise<void> {
  const [marked] = await sql.query<{ late: boolean }>(
    `insert into parity.mirrors as known (mirror_id, tenant, pending_since, pending_told_at) values ($1, $2, $3, now())
     on conflict (mirror_id) do update set pending_since = least(known.pending_since, excluded.pending_since), pending_told_at = now()
     returning coalesce(checked_at > $3, false) as late`,
    [mirrorId, tenant, changedAt],
  );
  if (version) {
    // A difference that was found by reading stays what it is: the change does not mend it.
    await sql.query(
      `insert into parity.parity_matrix as row (tenant, mirror_id, pack_id, version, path, state, by_bytes, checked_at, changed_at)
       values ($1, $2, $3, $4, '', $5, false, now(), $6)
       on conflict (mirror_id, pack_id, version, stray) do update
         set state = excluded.state, checked_at = excluded.checked_at, changed_at = least(row.changed_at, excluded.changed_at)
         where not (row.by_bytes and row.state <> 'in-step')`,
      [tenant, mirrorId, version.packId, version.version, version.state, changedAt],
    );
  }
  // An event that comes after the comparison that has seen its change would be waited for without end.
  if (marked?.late) await enqueueComparison(sql, tenant, mirrorId, afterEvent(null));
}

async function forget(sql: Sql, mirrorId: string): Promise<void> {
  for (const table of ['comparisons', 'parity_matrix', 'mirrors'])
    await sql.query(`delete from parity.${table} where mirror_id = $1`, [mirrorId]);
}
