import type { ParityState } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import { LeaseLost, ParityQueue, type ComparisonProgress, type FinishingTx, type HeldComparison, type ParityFinding } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { ulid } from 'ulid';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { inTransaction, readAs, type Sql } from '../transaction';
import { finishComparison } from './finish-comparison';

interface HeldRow {
  id: string;
  tenant: string;
  mirror_id: string;
  depth: HeldComparison['depth'];
  attempts: number;
  requested_by: string;
  source: string | null;
}

interface MatrixRow {
  pack_id: string;
  version: string;
  path: string;
  state: ParityState;
  by_bytes: boolean;
  proof: Digest | null;
}

const HELD = `id = $1 and lease_owner = $2 and state = 'running'`;

/** Leases are measured by the database's clock, which all workers share. */
export class PostgresParityQueue extends ParityQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
  ) {
    super();
  }

  async claim(owner: string, leaseMs: number): Promise<HeldComparison | undefined> {
    const [row] = await inTransaction(this.dataSource, null, async sql => {
      const rows = await sql.query<HeldRow>(
        `update parity.comparisons set state = 'running', lease_owner = $1, lease_until = now() + make_interval(secs => $2::float8 / 1000),
           attempts = attempts + 1, started_at = coalesce(started_at, now()), attempt_at = now(), versions = 0, hashed_bytes = 0
         where id = (
           select one.id from parity.comparisons one
           where (one.state = 'running' and one.lease_until <= now()
               or one.state = 'queued' and not exists (select 1 from parity.comparisons other where other.mirror_id = one.mirror_id and other.state = 'running'))
             and not exists (select 1 from mirror.jobs job
               where job.mirror_id = one.mirror_id and job.state = 'running' and job.lease_owner is not null and job.lease_until > now())
           order by one.created_at, one.id limit 1 for update of one skip locked)
         returning id, tenant, mirror_id, depth, attempts, requested_by, source`,
        [owner, leaseMs],
      );
      const [taken] = rows;
      if (taken) await sql.query(`delete from parity.findings where comparison_id = $1`, [taken.id]);
      return rows;
    });
    return (
      row && {
        id: row.id,
        tenant: row.tenant,
        mirrorId: row.mirror_id,
        owner,
        depth: row.depth,
        attempt: row.attempts,
        requestedBy: row.requested_by,
        source: row.source,
      }
    );
  }

  renew(held: HeldComparison, leaseMs: number): Promise<void> {
    return this.held(held, sql =>
      sql.query(`update parity.comparisons set lease_until = now() + make_interval(secs => $3::float8 / 1000) where ${HELD} returning id`, [
        held.id,
        held.owner,
        leaseMs,
      ]),
    );
  }

  async before(
    held: HeldComparison,
    versions: readonly { packId: string; version: string }[],
  ): Promise<ReadonlyMap<string, ParityFinding>> {
    const rows = await readAs(this.dataSource, held.tenant, sql =>
      sql.query<MatrixRow>(
        `select pack_id, version, path, state, by_bytes, proof from parity.parity_matrix
         where mirror_id = $1 and stray = '' and comparison_id is not null
           and (pack_id, version) in (select * from unnest($2::text[], $3::text[]))`,
        [held.mirrorId, versions.map(one => one.packId), versions.map(one => one.version)],
      ),
    );
    return new Map(rows.map(row => [`${row.pack_id}@${row.version}`, toFinding(row)]));
  }

  async unrecorded(held: HeldComparison, paths: readonly string[]): Promise<string[]> {
    const rows = await readAs(this.dataSource, held.tenant, sql =>
      sql.query<{ path: string }>(
        `select path from unnest($2::text[]) as there(path)
         where not exists (select 1 from mirror.copies copy where copy.mirror_id = $1 and copy.path = there.path)`,
        [held.mirrorId, paths],
      ),
    );
    return rows.map(row => row.path);
  }

  record(
    held: HeldComparison,
    findings: readonly ParityFinding[],
    { versions, totalVersions, hashedBytes }: ComparisonProgress,
  ): Promise<void> {
    return this.held(held, async sql => {
      const rows = await sql.query(
        `update parity.comparisons set versions = $3, total_versions = $4, hashed_bytes = $5 where ${HELD} returning id`,
        [held.id, held.owner, versions, totalVersions, hashedBytes],
      );
      if (rows.length > 0) await addFindings(sql, held, findings);
      return rows;
    });
  }

  async finish(held: HeldComparison, seq: number, work: (tx: FinishingTx) => Promise<void>): Promise<boolean> {
    let finished = false;
    await this.held(held, async sql => {
      const rows = await sql.query<{ attempt_at: string }>(`select attempt_at::text from parity.comparisons where ${HELD} for update`, [
        held.id,
        held.owner,
      ]);
      const [row] = rows;
      if (row) finished = await finishComparison(sql, { held, seq, attemptAt: row.attempt_at, traceparent: this.hooks.traceparent }, work);
      return rows;
    });
    if (finished) this.hooks.committed();
    return finished;
  }

  fail(held: HeldComparison, { code, message }: { code: string; message: string }): Promise<void> {
    return this.held(held, async sql => {
      const rows = await sql.query(
        `update parity.comparisons set state = 'failed', finished_at = now(), lease_owner = null, lease_until = null, error_code = $3, error_message = $4
         where ${HELD} returning id`,
        [held.id, held.owner, code, message],
      );
      if (rows.length === 0) return rows;
      await sql.query(`delete from parity.findings where comparison_id = $1`, [held.id]);
      await standsUnknown(sql, held, { code, message });
      return rows;
    });
  }

  retryLater(held: HeldComparison, delayMs: number, counted: boolean, error?: { code: string; message: string }): Promise<void> {
    return this.held(held, async sql => {
      const rows = await sql.query(
        `update parity.comparisons set lease_owner = null, lease_until = now() + make_interval(secs => $3::float8 / 1000),
           attempts = attempts - $4::int, error_code = $5, error_message = $6 where ${HELD} returning id`,
        [held.id, held.owner, delayMs, counted ? 0 : 1, error?.code ?? null, error?.message ?? null],
      );
      // What is not counted is no fault of the mirror, and leaves what is known of it.
      if (rows.length > 0 && counted && error) await standsUnknown(sql, held, error);
      return rows;
    });
  }

  async enqueueDue(intervalSeconds: number): Promise<number> {
    return inTransaction(this.dataSource, null, async sql => {
      const due = await sql.query<{ id: string; tenant: string }>(
        `select mirror.id, mirror.tenant from mirror.mirrors mirror left join parity.mirrors known on known.mirror_id = mirror.id
         where mirror.synced_at is not null and mirror.pull is null
           and coalesce(known.bytes_checked_at, mirror.created_at) <= now() - make_interval(secs => $1::float8)
           and not exists (select 1 from parity.comparisons one where one.mirror_id = mirror.id and one.cause = 'schedule'
             and (one.state in ('queued', 'running') or one.created_at > now() - make_interval(secs => $1::float8)))`,
        [intervalSeconds],
      );
      for (const { id, tenant } of due) {
        await sql.query(
          `insert into parity.comparisons (id, tenant, mirror_id, state, cause, depth, requested_by)
           values ($1, $2, $3, 'queued', 'schedule', 'bytes', 'service:parity-worker')
           on conflict (mirror_id) where state = 'queued' do update set depth = 'bytes'`,
          [ulid(), tenant, id],
        );
      }
      return due.length;
    });
  }

  async outOfStep(): Promise<number> {
    const [row] = await inTransaction(this.dataSource, null, sql =>
      sql.query<{ n: string }>(`select count(*) as n from parity.mirrors where in_step is not true or pending_since is not null`),
    );
    return Number(row?.n ?? 0);
  }

  /** One transaction of the holder; a statement that finds no row of its own means that somebody else has it. */
  private async held(held: HeldComparison, work: (sql: Sql) => Promise<unknown[]>): Promise<void> {
    await inTransaction(this.dataSource, held.tenant, async sql => {
      if ((await work(sql)).length === 0) throw new LeaseLost(held);
    });
  }
}

async function addFindings(sql: Sql, held: HeldComparison, findings: readonly ParityFinding[]): Promise<void> {
  if (findings.length === 0) return;
  await sql.query(
    `insert into parity.findings (tenant, comparison_id, pack_id, version, path, state, by_bytes, proof)
     select $1, $2, packs, versions, paths, states, by_bytes, nullif(proofs, '')
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[]) as found(packs, versions, paths, states, by_bytes, proofs)`,
    [
      held.tenant,
      held.id,
      findings.map(one => one.version?.packId ?? ''),
      findings.map(one => one.version?.version ?? ''),
      findings.map(one => one.path ?? ''),
      findings.map(one => one.state),
      findings.map(one => String(one.byBytes)),
      // An array of texts cannot be typed to hold nulls here; an empty one stands for none.
      findings.map(one => one.proof ?? ''),
    ],
  );
}

function toFinding({ pack_id: packId, version, path, state, by_bytes: byBytes, proof }: MatrixRow): ParityFinding {
  return { version: packId === '' ? null : { packId, version }, path: path || null, state, byBytes, proof: proof || null };
}

/** A mirror that could not be compared is not known to be in step, whatever it was before. */
async function standsUnknown(sql: Sql, { mirrorId, tenant }: HeldComparison, error: { code: string; message: string }): Promise<void> {
  await sql.query(
    `insert into parity.mirrors (mirror_id, tenant, in_step, error_code, error_message) values ($1, $2, null, $3, $4)
     on conflict (mirror_id) do update set in_step = null, error_code = excluded.error_code, error_message = excluded.error_message`,
    [mirrorId, tenant, error.code, error.message],
  );
}
