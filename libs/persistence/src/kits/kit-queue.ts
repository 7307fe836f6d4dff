import type { ExportRequest, ImportReport, ImportRequest, KitJobError } from '@packs/contracts';
import { requireUnsealed, type Digest } from '@packs/domain';
import { KitQueue, LeaseLost, type HeldImport, type HeldKitJob, type KitOrigin, type KitSettlingTx, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresOutbox } from '../outbox';
import type { UnitOfWorkHooks } from '../registry/registry-unit-of-work';
import { PostgresSealStore } from '../registry/seal-store';
import { inTransaction, readAs, type Sql, type SqlValue } from '../transaction';

interface HeldRow {
  id: string;
  tenant: string;
  kind: 'export' | 'import';
  attempts: number;
  requested_by: string;
  source: string | null;
  request: unknown;
  generation: string | null;
}

interface StagedRow {
  digest: Digest;
  size: string;
  object_key: string;
  block_checksums: Buffer;
}

const HELD = `id = $1 and lease_owner = $2 and state = 'running'`;
const LEASE_END = (parameter: string): string => `now() + make_interval(secs => ${parameter}::float8 / 1000)`;

/** Leases are measured by the database's clock, which all workers share. */
export class PostgresKitQueue extends KitQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hooks: UnitOfWorkHooks,
    private readonly sealedByConfiguration = false,
  ) {
    super();
  }

  async add(
    { tenant, actor, source }: KitOrigin,
    id: string,
    job: { kind: 'export'; request: ExportRequest } | { kind: 'import'; request: ImportRequest },
  ): Promise<void> {
    await inTransaction(this.dataSource, tenant, async sql => {
      if (job.kind === 'export') await this.holdUnsealed(sql);
      await sql.query(
        `insert into mirror.kit_jobs (id, tenant, kind, state, requested_by, source, request) values ($1, $2, $3, 'queued', $4, $5, $6)
         on conflict (id) do nothing`,
        [id, tenant, job.kind, actor, source, JSON.stringify(job.request)],
      );
    });
  }

  /** A sealed registry takes kits in and gives none out. */
  private async holdUnsealed(sql: Sql): Promise<void> {
    if (this.sealedByConfiguration) requireUnsealed('configuration');
    requireUnsealed((await new PostgresSealStore(sql).hold()) ? 'api' : null);
  }

  async claim(owner: string, leaseMs: number): Promise<HeldKitJob | undefined> {
    const [row] = await inTransaction(this.dataSource, null, sql =>
      sql.query<HeldRow>(
        `update mirror.kit_jobs set state = 'running', lease_owner = $1, lease_until = ${LEASE_END('$2')}, attempts = attempts + 1,
           started_at = coalesce(started_at, now())
         where id = (
           select job.id from mirror.kit_jobs job
           where job.state = 'running' and job.lease_until <= now()
              or job.state = 'queued' and (job.kind = 'export' or not exists (
                select 1 from mirror.kit_jobs other where other.tenant = job.tenant and other.kind = 'import' and other.state = 'running'))
           order by job.created_at, job.id limit 1 for update skip locked)
         returning id, tenant, kind, attempts, requested_by, source, request, generation`,
        [owner, leaseMs],
      ),
    );
    return row && toHeldJob(row, owner);
  }

  renew(job: HeldKitJob, leaseMs: number, progress: { done: number; total: number }): Promise<void> {
    return this.change(job, `lease_until = ${LEASE_END('$3')}, done_bytes = $4, total_bytes = $5`, [
      leaseMs,
      progress.done,
      progress.total,
    ]);
  }

  fixGeneration(job: HeldKitJob, generation: number): Promise<void> {
    return this.change(job, `generation = $3`, [generation]);
  }

  report(job: HeldImport, report: ImportReport): Promise<void> {
    return this.change(job, `report = $3, generation = $4`, [JSON.stringify(report), report.generation]);
  }

  retryLater(job: HeldKitJob, error: KitJobError, delayMs: number): Promise<void> {
    return this.change(job, `lease_owner = null, lease_until = ${LEASE_END('$3')}, error = $4`, [delayMs, JSON.stringify(error)]);
  }

  release(job: HeldKitJob): Promise<void> {
    return this.change(job, `state = 'queued', lease_owner = null, lease_until = null, attempts = attempts - 1`, []);
  }

  async staged(job: HeldImport): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const rows = await readAs(this.dataSource, job.tenant, sql =>
      sql.query<StagedRow>(`select digest, size, object_key, block_checksums from mirror.kit_staging where job_id = $1`, [job.id]),
    );
    return new Map(rows.map(row => [row.digest, toStoredBlob(row)]));
  }

  stage(job: HeldImport, blobs: readonly StoredBlob[]): Promise<void> {
    return this.held(job, async sql => {
      await sql.query(
        `insert into mirror.kit_staging (tenant, job_id, digest, size, object_key, block_checksums)
         select $1, $2, d, s, k, decode(c, 'base64') from unnest($3::text[], $4::bigint[], $5::text[], $6::text[]) as t(d, s, k, c)`,
        [
          job.tenant,
          job.id,
          blobs.map(b => b.digest),
          blobs.map(b => b.size),
          blobs.map(b => b.objectKey),
          blobs.map(b => b.blockChecksums),
        ],
      );
    });
  }

  async settle(job: HeldKitJob, work: (tx: KitSettlingTx) => Promise<void>): Promise<void> {
    await this.held(job, async sql => {
      const end = (state: 'succeeded' | 'failed', change: string, values: readonly SqlValue[]): Promise<unknown> =>
        sql.query(
          `update mirror.kit_jobs set state = '${state}', finished_at = now(), lease_owner = null, lease_until = null, ${change} where id = $1`,
          [job.id, ...values],
        );
      await work({
        exported: async result => {
          await end('succeeded', 'error = null, result = $2, kit_digest = $3, signature_digest = $4, done_bytes = total_bytes', [
            JSON.stringify(result),
            result.digest,
            result.signature,
          ]);
        },
        imported: async result => {
          await end('succeeded', 'error = null, result = $2, to_clear = true, done_bytes = total_bytes', [JSON.stringify(result)]);
        },
        fail: async (error, clear) => {
          await end('failed', 'error = $2, to_clear = $3', [JSON.stringify(error), clear]);
        },
        outbox: new PostgresOutbox(sql, 'mirror', this.hooks.traceparent),
      });
    });
    this.hooks.committed();
  }

  clear(remove: (objectKeys: readonly string[]) => Promise<void>): Promise<boolean> {
    return inTransaction(this.dataSource, null, async sql => {
      const [job] = await sql.query<{ id: string; request: ImportRequest }>(
        `select id, request from mirror.kit_jobs where to_clear order by id limit 1 for update skip locked`,
      );
      if (!job) return false;
      // Objects that became content in the meantime have a record there and stay.
      const rows = await sql.query<{ object_key: string }>(
        `select k as object_key from (select object_key as k from mirror.kit_staging where job_id = $1 union select unnest($2::text[])) staged
         where not exists (select 1 from content.blobs b where b.object_key = k)`,
        [job.id, [job.request.kit.objectKey, job.request.signature.objectKey]],
      );
      await remove(rows.map(row => row.object_key));
      await sql.query(`delete from mirror.kit_staging where job_id = $1`, [job.id]);
      await sql.query(`update mirror.kit_jobs set to_clear = false where id = $1`, [job.id]);
      return true;
    });
  }

  private change(job: HeldKitJob, change: string, values: readonly SqlValue[]): Promise<void> {
    return this.held(job, async sql => {
      await sql.query(`update mirror.kit_jobs set ${change} where ${HELD}`, [job.id, job.owner, ...values]);
    });
  }

  /** One transaction of the job's holder, which nobody can take the job from before it ends. */
  private held<T>(job: HeldKitJob, work: (sql: Sql) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, job.tenant, async sql => {
      const rows = await sql.query(`select id from mirror.kit_jobs where ${HELD} for update`, [job.id, job.owner]);
      if (rows.length === 0) throw new LeaseLost(job);
      return work(sql);
    });
  }
}

function toHeldJob(row: HeldRow, owner: string): HeldKitJob {
  const { id, tenant, source } = row;
  const held = { id, tenant, owner, attempt: row.attempts, requestedBy: row.requested_by, source };
  if (row.kind === 'import') return { ...held, kind: 'import', request: row.request as ImportRequest };
  return {
    ...held,
    kind: 'export',
    request: row.request as ExportRequest,
    generation: row.generation === null ? null : Number(row.generation),
  };
}

function toStoredBlob(row: StagedRow): StoredBlob {
  return { digest: row.digest, size: Number(row.size), objectKey: row.object_key, blockChecksums: row.block_checksums.toString('base64') };
}
