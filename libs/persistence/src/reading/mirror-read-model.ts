import type { MirrorJob, MirrorRecord } from '@packs/contracts';
import { MirrorReadModel } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { JOB_COLUMNS, toMirrorJob, type JobRow } from '../mirror/mirror-rows';
import { PostgresMirrorStore } from '../mirror/mirror-store';
import { readAs } from '../transaction';

export class PostgresMirrorReadModel extends MirrorReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  list(tenant: string): Promise<MirrorRecord[]> {
    return readAs(this.dataSource, tenant, sql => new PostgresMirrorStore(sql).list(tenant));
  }

  find(tenant: string, id: string): Promise<MirrorRecord | undefined> {
    return readAs(this.dataSource, tenant, sql => new PostgresMirrorStore(sql).find(tenant, id));
  }

  async jobs(tenant: string, mirrorId: string, before: string | null, limit: number): Promise<{ jobs: MirrorJob[]; next: string | null }> {
    const rows = await readAs(this.dataSource, tenant, sql =>
      sql.query<JobRow>(
        `select ${JOB_COLUMNS} from mirror.jobs where tenant = $1 and mirror_id = $2 and ($3::text is null or id < $3) order by id desc limit $4`,
        [tenant, mirrorId, before, limit + 1],
      ),
    );
    const jobs = rows.slice(0, limit).map(toMirrorJob);
    return { jobs, next: rows.length > limit ? (jobs.at(-1)?.id ?? null) : null };
  }

  async job(tenant: string, mirrorId: string, jobId: string): Promise<MirrorJob | undefined> {
    const [row] = await readAs(this.dataSource, tenant, sql =>
      sql.query<JobRow>(`select ${JOB_COLUMNS} from mirror.jobs where tenant = $1 and mirror_id = $2 and id = $3`, [
        tenant,
        mirrorId,
        jobId,
      ]),
    );
    return row && toMirrorJob(row);
  }
}
