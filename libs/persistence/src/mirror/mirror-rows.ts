import type { MirrorJob, MirrorRecord, PullPolicy, Selection, SkippedVersion } from '@packs/contracts';

export const MIRROR_COLUMNS = `id, tenant, name, kind, location, selection, interval_seconds, enabled, created_at, created_by, updated_at, updated_by,
  seq, state_digest, synced_at, pending_since, needs_verify, pull`;

export interface MirrorRow {
  id: string;
  tenant: string;
  name: string;
  kind: MirrorRecord['kind'];
  location: string;
  selection: Selection;
  interval_seconds: number | null;
  enabled: boolean;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
  seq: string;
  state_digest: string | null;
  synced_at: Date | null;
  pending_since: Date | null;
  needs_verify: boolean;
  pull: PullPolicy | null;
}

export function toMirrorRecord(row: MirrorRow): MirrorRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    kind: row.kind,
    location: row.location,
    selection: row.selection,
    intervalSeconds: row.interval_seconds,
    enabled: row.enabled,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    updatedAt: row.updated_at.toISOString(),
    updatedBy: row.updated_by,
    seq: Number(row.seq),
    stateDigest: row.state_digest,
    syncedAt: row.synced_at?.toISOString() ?? null,
    pendingSince: row.pending_since?.toISOString() ?? null,
    needsVerify: row.needs_verify,
    ...(row.pull && { pull: row.pull }),
  };
}

export const JOB_COLUMNS = `id, mirror_id, state, cause, verify, requested_by, created_at, started_at, finished_at, attempts, lease_owner, lease_until,
  versions, total_versions, bytes, total_bytes, copied_bytes, repaired, skipped_versions, skipped, error_code, error_message`;

export interface JobRow {
  id: string;
  mirror_id: string;
  state: MirrorJob['state'];
  cause: MirrorJob['cause'];
  verify: boolean;
  requested_by: string;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  attempts: number;
  lease_owner: string | null;
  lease_until: Date | null;
  versions: string;
  total_versions: string;
  bytes: string;
  total_bytes: string;
  copied_bytes: string;
  repaired: string;
  skipped_versions: string;
  skipped: SkippedVersion[];
  error_code: string | null;
  error_message: string | null;
}

export function toMirrorJob(row: JobRow): MirrorJob {
  const waits = row.state === 'running' && row.lease_owner === null;
  return {
    id: row.id,
    mirrorId: row.mirror_id,
    state: row.state,
    cause: row.cause,
    verify: row.verify,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    attempts: row.attempts,
    nextAttemptAt: waits ? (row.lease_until?.toISOString() ?? null) : null,
    progress: {
      versions: Number(row.versions),
      totalVersions: Number(row.total_versions),
      bytes: Number(row.bytes),
      totalBytes: Number(row.total_bytes),
      copiedBytes: Number(row.copied_bytes),
      repaired: Number(row.repaired),
      skipped: Number(row.skipped_versions),
    },
    skipped: row.skipped,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
  };
}
