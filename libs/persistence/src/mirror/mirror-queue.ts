import type { MirrorRecord } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { LeaseLost, MirrorQueue, type HeldJob, type MirrorObject, type SettlingTx, type SyncCounts, type SyncOutcome } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import { PostgresOutbox } from '../outbox';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { inTransaction, readAs, type Sql } from '../transaction';
import { MIRROR_COLUMNS, toMirrorRecord, type MirrorRow } from './mirror-rows';

interface HeldRow {
  id: string;
  tenant: string;
  mirror_id: string;
  verify: boolean;
  attempts: number;
  requested_by: string;
  source: string | null;
}

/** Names in a job's own record, at the most; its counter counts all. */
const SKIPPED_KEPT = 100;
const HELD = `id = $1 and lease_owner = $2 and state = 'running'`;

/** Leases are measured by the database's clock, which all workers share. */
export class PostgresMirrorQueue extends MirrorQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
  ) {
    super();
  }

  async claim(owner: string, leaseMs: number): Promise<HeldJob | undefined> {
    const [row] = await inTransaction(this.dataSource, null, async sql => {
      const rows = await sql.query<HeldRow>(
        `update mirror.jobs set state = 'running', lease_owner = $1, lease_until = now() + make_interval(secs => $2::float8 / 1000),
           attempts = attempts + 1, started_at = coalesce(started_at, now())
         where id = (
           select job.id from mirror.jobs job
           where job.state = 'running' and job.lease_until <= now()
              or job.state = 'queued' and not exists (select 1 from mirror.jobs other where other.mirror_id = job.mirror_id and other.state = 'running')
           order by job.created_at, job.id limit 1 for update skip locked)
         returning id, tenant, mirror_id, verify, attempts, requested_by, source`,
        [owner, leaseMs],
      );
      const [taken] = rows;
      if (taken) {
        // From here on the job answers for what was pending; later changes queue the next one.
        await sql.query(
          `with mirror as (select id, pending_since, needs_verify from mirror.mirrors where id = $2 for update),
             cleared as (update mirror.mirrors set pending_since = null where id = $2)
           update mirror.jobs job set changed_since = least(job.changed_since, mirror.pending_since), verify = job.verify or mirror.needs_verify
           from mirror where job.id = $1`,
          [taken.id, taken.mirror_id],
        );
        const [again] = await sql.query<{ verify: boolean }>(`select verify from mirror.jobs where id = $1`, [taken.id]);
        taken.verify = again?.verify ?? taken.verify;
      }
      return rows;
    });
    return (
      row && {
        id: row.id,
        tenant: row.tenant,
        mirrorId: row.mirror_id,
        owner,
        verify: row.verify,
        attempt: row.attempts,
        requestedBy: row.requested_by,
        source: row.source,
      }
    );
  }

  async renew(job: HeldJob, leaseMs: number): Promise<void> {
    await this.held(job, sql =>
      sql.query(`update mirror.jobs set lease_until = now() + make_interval(secs => $3::float8 / 1000) where ${HELD} returning id`, [
        job.id,
        job.owner,
        leaseMs,
      ]),
    );
  }

  async copiesOf(job: HeldJob, paths: readonly string[]): Promise<ReadonlyMap<string, Digest>> {
    const rows = await readAs(this.dataSource, job.tenant, sql =>
      sql.query<{ path: string; digest: Digest }>(`select path, digest from mirror.copies where mirror_id = $1 and path = any($2)`, [
        job.mirrorId,
        paths,
      ]),
    );
    return new Map(rows.map(row => [row.path, row.digest]));
  }

  async progress(job: HeldJob, copies: readonly Omit<MirrorObject, 'wave'>[], counts: SyncCounts): Promise<void> {
    await this.held(job, async sql => {
      const rows = await sql.query(
        `update mirror.jobs set versions = $3, total_versions = $4, bytes = $5, total_bytes = $6, copied_bytes = $7, repaired = $8, skipped_versions = $9
         where ${HELD} returning id`,
        [job.id, job.owner, ...countsOf(counts)],
      );
      if (rows.length > 0) await recordCopies(sql, job, copies);
      return rows;
    });
  }

  async forget(job: HeldJob, paths: readonly string[]): Promise<void> {
    await this.held(job, async sql => {
      const rows = await sql.query(`select id from mirror.jobs where ${HELD} for update`, [job.id, job.owner]);
      if (rows.length > 0) await sql.query(`delete from mirror.copies where mirror_id = $1 and path = any($2)`, [job.mirrorId, paths]);
      return rows;
    });
  }

  async settle(job: HeldJob, work: (tx: SettlingTx) => Promise<void>): Promise<void> {
    await this.held(job, async sql => {
      const rows = await sql.query(`select id from mirror.jobs where ${HELD} for update`, [job.id, job.owner]);
      if (rows.length === 0) return rows;
      await work({
        succeed: outcome => succeed(sql, job, outcome),
        fail: error => fail(sql, job, error),
        outbox: new PostgresOutbox(sql, 'mirror', this.hooks.traceparent),
      });
      return rows;
    });
    this.hooks.committed();
  }

  async retryLater(job: HeldJob, error: { code: string; message: string }, delayMs: number): Promise<void> {
    await this.held(job, sql =>
      sql.query(
        `update mirror.jobs set lease_owner = null, lease_until = now() + make_interval(secs => $3::float8 / 1000), error_code = $4, error_message = $5
         where ${HELD} returning id`,
        [job.id, job.owner, delayMs, error.code, error.message],
      ),
    );
  }

  async release(job: HeldJob): Promise<void> {
    await this.held(job, sql =>
      sql.query(`update mirror.jobs set lease_owner = null, lease_until = now(), attempts = attempts - 1 where ${HELD} returning id`, [
        job.id,
        job.owner,
      ]),
    );
  }

  async enqueueDue(): Promise<number> {
    return inTransaction(this.dataSource, null, async sql => {
      const due = await sql.query<{ id: string; tenant: string }>(
        `update mirror.mirrors set next_run_at = now() + make_interval(secs => interval_seconds)
         where enabled and interval_seconds is not null and next_run_at <= now() returning id, tenant`,
      );
      for (const { id, tenant } of due) {
        await sql.query(
          `insert into mirror.jobs (id, tenant, mirror_id, state, cause, verify, requested_by) values ($1, $2, $3, 'queued', 'schedule', false, 'service:mirror-worker')
           on conflict (mirror_id) where state = 'queued' do nothing`,
          [ulid(), tenant, id],
        );
      }
      return due.length;
    });
  }

  async backlog(): Promise<{ depth: number; lagSeconds: number }> {
    const [row] = await inTransaction(this.dataSource, null, sql =>
      sql.query<{ depth: string; lag: string | null }>(
        `select (select count(*) from mirror.jobs where state = 'queued' or state = 'running' and lease_owner is null) as depth,
           extract(epoch from now() - least((select min(pending_since) from mirror.mirrors where enabled),
             (select min(changed_since) from mirror.jobs where state in ('queued', 'running')))) as lag`,
      ),
    );
    return { depth: Number(row?.depth ?? 0), lagSeconds: Math.max(0, Number(row?.lag ?? 0)) };
  }

  /** One transaction of the job's holder; a statement that finds no row of its own means that somebody else has it. */
  private async held(job: HeldJob, work: (sql: Sql) => Promise<unknown[]>): Promise<void> {
    await inTransaction(this.dataSource, job.tenant, async sql => {
      if ((await work(sql)).length === 0) throw new LeaseLost(job);
    });
  }
}

function countsOf(counts: SyncCounts): number[] {
  return [counts.versions, counts.totalVersions, counts.bytes, counts.totalBytes, counts.copiedBytes, counts.repaired, counts.skipped];
}

async function recordCopies(sql: Sql, job: HeldJob, copies: readonly Omit<MirrorObject, 'wave'>[]): Promise<void> {
  if (copies.length === 0) return;
  await sql.query(
    `insert into mirror.copies (tenant, mirror_id, path, digest, size)
     select $1, $2, p, d, s from unnest($3::text[], $4::text[], $5::bigint[]) as t(p, d, s)
     on conflict (mirror_id, path) do update set digest = excluded.digest, size = excluded.size, proven_at = now()`,
    [job.tenant, job.mirrorId, copies.map(copy => copy.path), copies.map(copy => copy.digest), copies.map(copy => copy.size)],
  );
}

async function succeed(sql: Sql, job: HeldJob, { stateDigest, counts, skipped }: SyncOutcome): Promise<MirrorRecord> {
  await sql.query(
    `update mirror.jobs set state = 'succeeded', finished_at = now(), lease_owner = null, lease_until = null, error_code = null, error_message = null,
       versions = $2, total_versions = $3, bytes = $4, total_bytes = $5, copied_bytes = $6, repaired = $7, skipped_versions = $8, skipped = $9
     where id = $1`,
    [job.id, ...countsOf(counts), JSON.stringify(skipped.slice(0, SKIPPED_KEPT))],
  );
  const rows = await sql.query<MirrorRow>(
    `update mirror.mirrors set seq = seq + 1, state_digest = $2, synced_at = now(), needs_verify = needs_verify and not $3
     where id = $1 returning ${MIRROR_COLUMNS}`,
    [job.mirrorId, stateDigest, job.verify],
  );
  return theMirror(rows, job);
}

async function fail(sql: Sql, job: HeldJob, { code, message }: { code: string; message: string }): Promise<MirrorRecord> {
  await sql.query(
    `update mirror.jobs set state = 'failed', finished_at = now(), lease_owner = null, lease_until = null, error_code = $2, error_message = $3 where id = $1`,
    [job.id, code, message],
  );
  const rows = await sql.query<MirrorRow>(
    `update mirror.mirrors set pending_since = least(pending_since, (select changed_since from mirror.jobs where id = $2))
     where id = $1 returning ${MIRROR_COLUMNS}`,
    [job.mirrorId, job.id],
  );
  return theMirror(rows, job);
}

function theMirror(rows: readonly MirrorRow[], job: HeldJob): MirrorRecord {
  const [row] = rows;
  if (!row) throw new LeaseLost(job);
  return toMirrorRecord(row);
}
