import type { MirrorJob } from '@packs/contracts';
import type { ErrorCode } from '@packs/domain';
import { MirrorJobStore, type JobCause } from '@packs/ports';
import { ulid } from 'ulid';
import type { Sql } from '../transaction';
import { JOB_COLUMNS, toMirrorJob, type JobRow } from './mirror-rows';

export class PostgresMirrorJobStore extends MirrorJobStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  async enqueue(tenant: string, mirrorId: string, { cause, requestedBy, source, verify, changedAt }: JobCause): Promise<MirrorJob> {
    const rows = await this.sql.query<JobRow>(
      `insert into mirror.jobs as job (id, tenant, mirror_id, state, cause, verify, requested_by, source, changed_since)
       values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8)
       on conflict (mirror_id) where state = 'queued' do update
         set verify = job.verify or excluded.verify, changed_since = least(job.changed_since, excluded.changed_since)
       returning ${JOB_COLUMNS}`,
      [ulid(), tenant, mirrorId, cause, verify, requestedBy, source, changedAt],
    );
    const [row] = rows;
    if (!row) throw new Error('an upsert returned no row');
    return toMirrorJob(row);
  }

  async running(tenant: string, mirrorId: string): Promise<MirrorJob | undefined> {
    const [row] = await this.sql.query<JobRow>(
      `select ${JOB_COLUMNS} from mirror.jobs where tenant = $1 and mirror_id = $2 and state = 'running'`,
      [tenant, mirrorId],
    );
    return row && toMirrorJob(row);
  }

  async hurry(tenant: string, mirrorId: string): Promise<void> {
    await this.sql.query(
      `update mirror.jobs set lease_until = now() where tenant = $1 and mirror_id = $2 and state = 'running' and lease_owner is null`,
      [tenant, mirrorId],
    );
  }

  async cancel(tenant: string, mirrorId: string, code: ErrorCode, message: string): Promise<void> {
    await this.sql.query(
      `update mirror.jobs set state = 'failed', finished_at = now(), lease_owner = null, lease_until = null, error_code = $3, error_message = $4
       where tenant = $1 and mirror_id = $2 and state in ('queued', 'running')`,
      [tenant, mirrorId, code, message],
    );
  }
}
