import type { ReverificationCause, ReverificationState } from '@packs/ports';

export const REVERIFICATION_COLUMNS = `state, cause, epoch, requested_at, requested_by, started_at, finished_at, examined, withdrawn, restored, failed`;

export interface ReverificationRow {
  state: ReverificationState['state'];
  cause: ReverificationCause;
  epoch: string;
  requested_at: Date;
  requested_by: string;
  started_at: Date | null;
  finished_at: Date | null;
  examined: string;
  withdrawn: string;
  restored: string;
  failed: string;
}

export function toReverificationState(row: ReverificationRow): ReverificationState {
  return {
    state: row.state,
    cause: row.cause,
    epoch: Number(row.epoch),
    requestedAt: row.requested_at.toISOString(),
    requestedBy: row.requested_by,
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    examined: Number(row.examined),
    withdrawn: Number(row.withdrawn),
    restored: Number(row.restored),
    failed: Number(row.failed),
  };
}
