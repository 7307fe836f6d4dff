import type { ParityCheck, ParityCounts, ParityState } from '@packs/contracts';
import { noCounts } from '@packs/contracts';
import type { ComparisonCause } from '@packs/ports';
import { ulid } from 'ulid';
import type { Sql } from '../transaction';

export const CHECK_COLUMNS = `id, mirror_id, state, cause, depth, requested_by, created_at, started_at, finished_at, attempts, versions, total_versions,
  hashed_bytes, counts, error_code, error_message`;

export interface CheckRow {
  id: string;
  mirror_id: string;
  state: ParityCheck['state'];
  cause: ParityCheck['cause'];
  depth: ParityCheck['depth'];
  requested_by: string;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  attempts: number;
  versions: string;
  total_versions: string;
  hashed_bytes: string;
  counts: ParityCounts | null;
  error_code: string | null;
  error_message: string | null;
}

export function toParityCheck(row: CheckRow): ParityCheck {
  return {
    id: row.id,
    mirrorId: row.mirror_id,
    state: row.state,
    cause: row.cause,
    depth: row.depth,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    attempts: row.attempts,
    progress: { versions: Number(row.versions), totalVersions: Number(row.total_versions), hashedBytes: Number(row.hashed_bytes) },
    inStep: row.counts && isInStep(row.counts),
    counts: row.counts,
    error: toError(row),
  };
}

export function toError(row: { error_code: string | null; error_message: string | null }): { code: string; message: string } | null {
  return row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' };
}

export interface CountRow {
  state: ParityState;
  n: string;
}

export function toCounts(rows: readonly CountRow[]): ParityCounts {
  return { ...noCounts(), ...Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)])) };
}

export function isInStep(counts: ParityCounts): boolean {
  return Object.entries(counts).every(([state, count]) => state === 'in-step' || count === 0);
}

/** Whoever asks for more than a queued comparison reads makes it read that. */
export async function enqueueComparison(sql: Sql, tenant: string, mirrorId: string, cause: ComparisonCause): Promise<ParityCheck> {
  const [row] = await sql.query<CheckRow>(
    `insert into parity.comparisons as queued (id, tenant, mirror_id, state, cause, depth, requested_by, source)
     values ($1, $2, $3, 'queued', $4, $5, $6, $7)
     on conflict (mirror_id) where state = 'queued' do update set depth = case
       when 'bytes' in (queued.depth, excluded.depth) then 'bytes'
       when 'changes' in (queued.depth, excluded.depth) then 'changes' else 'index' end
     returning ${CHECK_COLUMNS}`,
    [ulid(), tenant, mirrorId, cause.cause, cause.depth, cause.requestedBy, cause.source],
  );
  if (!row) throw new Error('an upsert returned no row');
  return toParityCheck(row);
}

/** A comparison nobody asked for, after events that came late. */
export function afterEvent(source: string | null): ComparisonCause {
  return { cause: 'event', depth: 'changes', requestedBy: 'service:parity-worker', source };
}
