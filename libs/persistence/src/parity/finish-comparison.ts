import type { ParityState } from '@packs/contracts';
import type { FinishingTx, HeldComparison } from '@packs/ports';
import { PostgresOutbox } from '../outbox';
import type { Sql } from '../transaction';
import { afterEvent, enqueueComparison, isInStep, toCounts, type CountRow } from './parity-rows';

/** Ended comparisons of a mirror that are kept. */
const KEPT = 100;

export interface Finish {
  readonly held: HeldComparison;
  /** Completed syncs of the mirror when it began. */
  readonly seq: number;
  /** In the database's words: its microseconds count. */
  readonly attemptAt: string;
  readonly traceparent: () => string | null;
}

/** @returns false, having done nothing, when the mirror was synced meanwhile */
export async function finishComparison(sql: Sql, finish: Finish, work: (tx: FinishingTx) => Promise<void>): Promise<boolean> {
  const { held, seq } = finish;
  const [mirror] = await sql.query<{ undisturbed: boolean }>(
    `select seq = $2 and not exists (select 1 from mirror.jobs job
       where job.mirror_id = $1 and job.state = 'running' and job.lease_owner is not null and job.lease_until > now()) as undisturbed
     from mirror.mirrors where id = $1`,
    [held.mirrorId, seq],
  );
  if (!mirror?.undisturbed) return false;
  if (held.depth === 'index') await keepStrays(sql, held);
  const counts = toCounts(
    await sql.query<CountRow>(`select state, count(*) as n from parity.findings where comparison_id = $1 group by state`, [held.id]),
  );
  await work({
    counts,
    announced: await announcedOf(sql, held),
    first: limit => firstDifferences(sql, held, limit),
    announce: drift => announce(sql, held, drift.kinds, drift.seq),
    outbox: new PostgresOutbox(sql, 'parity', finish.traceparent),
  });
  await show(sql, finish);
  await sql.query(
    `update parity.comparisons set state = 'succeeded', finished_at = now(), lease_owner = null, lease_until = null, counts = $2,
       total_versions = versions, error_code = null, error_message = null where id = $1`,
    [held.id, JSON.stringify(counts)],
  );
  await settleMirror(sql, finish, isInStep(counts));
  await sql.query(
    `delete from parity.comparisons where mirror_id = $1 and state in ('succeeded', 'failed')
       and id < (select id from parity.comparisons where mirror_id = $1 order by id desc offset ${KEPT} limit 1)`,
    [held.mirrorId],
  );
  return true;
}

/** An index says nothing of files it does not name. */
async function keepStrays(sql: Sql, held: HeldComparison): Promise<void> {
  await sql.query(
    `insert into parity.findings (tenant, comparison_id, pack_id, version, path, state, by_bytes)
     select tenant, $2, pack_id, version, path, state, by_bytes from parity.parity_matrix where mirror_id = $1 and stray <> ''
     on conflict do nothing`,
    [held.mirrorId, held.id],
  );
}

async function announcedOf(sql: Sql, held: HeldComparison): Promise<FinishingTx['announced']> {
  const [row] = await sql.query<{ announced: ParityState[]; announced_seq: string }>(
    `insert into parity.mirrors as known (mirror_id, tenant) values ($1, $2)
     on conflict (mirror_id) do update set error_code = null returning announced, announced_seq`,
    [held.mirrorId, held.tenant],
  );
  return { kinds: row?.announced ?? [], seq: Number(row?.announced_seq ?? 0) };
}

async function firstDifferences(sql: Sql, held: HeldComparison, limit: number): ReturnType<FinishingTx['first']> {
  const rows = await sql.query<{ pack_id: string; version: string; path: string; state: ParityState }>(
    `select pack_id, version, path, state from parity.findings where comparison_id = $1 and state <> 'in-step'
     order by state = 'different-digest' desc, pack_id, version, stray limit $2`,
    [held.id, limit],
  );
  return rows.map(({ pack_id: packId, version, path, state }) => ({
    version: packId === '' ? null : { packId, version },
    path: path || null,
    state,
  }));
}

async function announce(sql: Sql, held: HeldComparison, kinds: readonly string[], seq: number): Promise<void> {
  await sql.query(`update parity.mirrors set announced = $2, announced_seq = $3 where mirror_id = $1`, [held.mirrorId, kinds, seq]);
}

/** Rows that an event told of after the comparison began stay: it may not have seen the change. */
async function show(sql: Sql, { held, attemptAt }: Finish): Promise<void> {
  await sql.query(
    `delete from parity.parity_matrix where mirror_id = $1 and not (changed_at is not null and checked_at >= $2::text::timestamptz)`,
    [held.mirrorId, attemptAt],
  );
  await sql.query(
    `insert into parity.parity_matrix (tenant, mirror_id, pack_id, version, path, state, by_bytes, proof, checked_at, comparison_id)
     select tenant, $2, pack_id, version, path, state, by_bytes, proof, $3::text::timestamptz, comparison_id
     from parity.findings where comparison_id = $1 on conflict do nothing`,
    [held.id, held.mirrorId, attemptAt],
  );
  await sql.query(`delete from parity.findings where comparison_id = $1`, [held.id]);
}

async function settleMirror(sql: Sql, { held, attemptAt }: Finish, inStep: boolean): Promise<void> {
  const [row] = await sql.query<{ late: boolean | null }>(
    `update parity.mirrors set in_step = $2, depth = $3, checked_at = $4::text::timestamptz, comparison_id = $5, error_code = null, error_message = null,
       bytes_checked_at = case when $3 = 'bytes' then $4::text::timestamptz else bytes_checked_at end,
       pending_since = case when pending_told_at >= $4::text::timestamptz then pending_since end
     where mirror_id = $1 returning pending_since < $4::text::timestamptz as late`,
    [held.mirrorId, inStep, held.depth, attemptAt, held.id],
  );
  // Told late of what happened before it began: the next comparison settles whether this one saw it.
  if (row?.late) await enqueueComparison(sql, held.tenant, held.mirrorId, afterEvent(held.id));
}
