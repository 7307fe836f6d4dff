import {
  LeaseLost,
  ReverificationQueue,
  type HeldReverification,
  type ReverificationCause,
  type ReverificationCursor,
  type ReverificationIntervals,
  type ReverificationProgress,
  type ReverificationState,
} from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction, type SqlValue } from '../transaction';
import { REVERIFICATION_COLUMNS, toReverificationState, type ReverificationRow } from './reverification-rows';

const HELD = `tenant = $1 and lease_owner = $2 and state = 'running'`;
/** What was gone through of an earlier pass says nothing of this one. */
const FROM_THE_START = `started_at = null, finished_at = null, pack_id = '', version = '', examined = 0, withdrawn = 0, restored = 0, failed = 0, attempts = 0,
  lease_owner = null, lease_until = null`;

export class PostgresReverificationQueue extends ReverificationQueue {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async request(tenant: string, requestedBy: string): Promise<ReverificationState> {
    return inTransaction(this.dataSource, tenant, async sql => {
      await sql.query(
        `insert into registry.reverifications (tenant, state, cause, epoch, requested_by)
         values ($1, 'queued', 'request', coalesce((select trust_epoch from registry.tenants where tenant = $1), 0), $2)
         on conflict (tenant) do update set state = 'queued', cause = 'request', epoch = excluded.epoch, requested_at = now(),
           requested_by = excluded.requested_by, ${FROM_THE_START}`,
        [tenant, requestedBy],
      );
      const [row] = await sql.query<ReverificationRow>(`select ${REVERIFICATION_COLUMNS} from registry.reverifications where tenant = $1`, [
        tenant,
      ]);
      if (!row) throw new Error(`the pass of ${tenant} that was asked for is not there`);
      return toReverificationState(row);
    });
  }

  async addDue(requestedBy: string, { seconds, afterFailureSeconds }: ReverificationIntervals): Promise<boolean> {
    const begun = await this.query(
      `update registry.reverifications set state = 'queued', requested_at = now(), requested_by = $1, ${FROM_THE_START},
         cause = case when finished_at < now() - $2::float8 * interval '1 s' then 'schedule' else 'trust' end
       where state = 'completed' and finished_at < now() - case when failed > 0 then least($2::float8, $3) else $2::float8 end * interval '1 s'
       returning tenant`,
      [requestedBy, seconds, afterFailureSeconds],
    );
    return begun.length > 0;
  }

  async claim(owner: string, leaseMs: number): Promise<HeldReverification | undefined> {
    const [row] = await this.query<{ tenant: string; cause: ReverificationCause; pack_id: string; version: string; attempts: number }>(
      `update registry.reverifications set state = 'running', lease_owner = $1, lease_until = now() + $2 * interval '1 ms',
         started_at = coalesce(started_at, now()), attempts = attempts + 1
       where tenant = (select tenant from registry.reverifications where state = 'queued' or state = 'running' and lease_until <= now()
                       order by requested_at limit 1 for update skip locked)
       returning tenant, cause, pack_id, version, attempts`,
      [owner, leaseMs],
    );
    if (!row) return undefined;
    const { tenant: id, cause, pack_id: packId, version, attempts } = row;
    return { id, owner, cause, cursor: { packId, version }, attempts };
  }

  async next(
    { id }: HeldReverification,
    { packId, version }: ReverificationCursor,
    limit: number,
  ): Promise<readonly (ReverificationCursor & { readonly acceptedEpoch: number | null })[]> {
    const rows = await inTransaction(
      this.dataSource,
      id,
      sql =>
        sql.query<{ pack_id: string; version: string; accepted: string | null }>(
          `select pack_id, version, case when withdrawn_at is null then trust_epoch end as accepted from registry.pack_versions
           where tenant = $1 and (pack_id, version) > ($2, $3) order by pack_id, version limit $4`,
          [id, packId, version, limit],
        ),
      'read only',
    );
    return rows.map(row => ({
      packId: row.pack_id,
      version: row.version,
      acceptedEpoch: row.accepted === null ? null : Number(row.accepted),
    }));
  }

  renew(held: HeldReverification, leaseMs: number): Promise<void> {
    return this.change(held, `lease_until = now() + $3 * interval '1 ms'`, [leaseMs]);
  }

  progress(held: HeldReverification, { cursor, examined, withdrawn, restored, failed }: ReverificationProgress): Promise<void> {
    return this.change(
      held,
      `pack_id = $3, version = $4, examined = examined + $5, withdrawn = withdrawn + $6, restored = restored + $7, failed = failed + $8, attempts = 0`,
      [cursor.packId, cursor.version, examined, withdrawn, restored, failed],
    );
  }

  complete(held: HeldReverification): Promise<void> {
    return this.change(held, `state = 'completed', finished_at = now(), lease_owner = null, lease_until = null`, []);
  }

  release(held: HeldReverification, delayMs: number): Promise<void> {
    return this.change(held, `lease_owner = null, lease_until = now() + $3 * interval '1 ms'`, [delayMs]);
  }

  private async change(held: HeldReverification, set: string, values: readonly SqlValue[]): Promise<void> {
    const changed = await this.query(`update registry.reverifications set ${set} where ${HELD} returning tenant`, [
      held.id,
      held.owner,
      ...values,
    ]);
    if (changed.length === 0) throw new LeaseLost(held);
  }

  /** Of no tenant: the queue is everybody's. */
  private query<Row>(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return inTransaction(this.dataSource, null, sql => sql.query<Row>(text, values));
  }
}
