import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { PostgresMirrorUnitOfWork } from '@packs/persistence';
import { BlobStore, Clock, CommandBus, MirrorQueue, MirrorTargets, MirrorUnitOfWork, PackInventory } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { Admission } from './admission/admission';
import { CheckPlace } from './check-place';
import { CreateMirror } from './create-mirror/create-mirror';
import { DeleteMirror } from './delete-mirror/delete-mirror';
import { RunPull } from './run-pull/run-pull';
import { RunSync } from './run-sync/run-sync';
import { SyncMirror } from './sync-mirror/sync-mirror';
import { UpdateMirror } from './update-mirror/update-mirror';
import { JobLoop } from './work-jobs/job-loop';
import { WorkJob, type MirrorRun } from './work-jobs/work-job';

/** Mirrors' settings, and the jobs that sync them. */
export function mirroring({ leaseMs, attempts, runDeadlineMs }: ConfigOf<'mirror-worker'>, logger: Logger): Provider[] {
  return [
    {
      provide: CreateMirror,
      useFactory: (...parts: ConstructorParameters<typeof CreateMirror>) => new CreateMirror(...parts),
      inject: [MirrorUnitOfWork, CheckPlace, Clock],
    },
    {
      provide: UpdateMirror,
      useFactory: (...parts: ConstructorParameters<typeof UpdateMirror>) => new UpdateMirror(...parts),
      inject: [MirrorUnitOfWork, CheckPlace, Clock],
    },
    {
      provide: DeleteMirror,
      useFactory: (...parts: ConstructorParameters<typeof DeleteMirror>) => new DeleteMirror(...parts),
      inject: [MirrorUnitOfWork, Clock],
    },
    {
      provide: SyncMirror,
      useFactory: (unitOfWork: MirrorUnitOfWork, jobs: JobLoop) => new SyncMirror(unitOfWork, () => jobs.wake()),
      inject: [MirrorUnitOfWork, JobLoop],
    },
    { provide: Admission, useFactory: (commands: CommandBus, clock: Clock) => new Admission(commands, clock), inject: [CommandBus, Clock] },
    {
      provide: RunSync,
      useFactory: (...parts: ConstructorParameters<typeof RunSync>) => new RunSync(...parts),
      inject: [PackInventory, BlobStore, MirrorTargets, MirrorQueue, Admission],
    },
    {
      provide: WorkJob,
      useFactory: (unitOfWork: PostgresMirrorUnitOfWork, queue: MirrorQueue, runSync: RunSync, runPull: RunPull, clock: Clock) => {
        const run: MirrorRun = {
          execute: (job, mirror, signal) => (mirror.pull ? runPull : runSync).execute(job, mirror, signal),
        };
        return new WorkJob(unitOfWork, queue, run, clock, { leaseMs, attempts, runDeadlineMs }, logger);
      },
      inject: [PostgresMirrorUnitOfWork, MirrorQueue, RunSync, RunPull, Clock],
    },
    {
      provide: JobLoop,
      useFactory: (queue: MirrorQueue, workJob: WorkJob) => new JobLoop(queue, workJob, leaseMs, logger),
      inject: [MirrorQueue, WorkJob],
    },
  ];
}
