import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { DataSource, PostgresMirrorUnitOfWork, PostgresRepairQueue } from '@packs/persistence';
import { BlobStore, CommandBus, MirrorTargets, RepairQueue } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { PlanRepair } from './repair-blob/plan-repair';
import { RepairBlob } from './repair-blob/repair-blob';
import { RepairLoop } from './work-repairs/repair-loop';
import { WorkRepair } from './work-repairs/work-repair';

/** Damaged blobs, brought back from mirrors. Upkeep: it goes on in a sealed registry. */
export function repairing({ leaseMs, attempts, runDeadlineMs }: ConfigOf<'mirror-worker'>, logger: Logger): Provider[] {
  return [
    { provide: RepairQueue, useFactory: (dataSource: DataSource) => new PostgresRepairQueue(dataSource), inject: [DataSource] },
    {
      provide: RepairBlob,
      useFactory: (unitOfWork: PostgresMirrorUnitOfWork, targets: MirrorTargets, blobs: BlobStore, commands: CommandBus) =>
        new RepairBlob(unitOfWork, targets, blobs, commands, logger),
      inject: [PostgresMirrorUnitOfWork, MirrorTargets, BlobStore, CommandBus],
    },
    {
      provide: WorkRepair,
      useFactory: (queue: RepairQueue, repairBlob: RepairBlob) =>
        new WorkRepair(queue, repairBlob, { leaseMs, attempts, runDeadlineMs }, logger),
      inject: [RepairQueue, RepairBlob],
    },
    {
      provide: RepairLoop,
      useFactory: (queue: RepairQueue, workRepair: WorkRepair) => new RepairLoop(queue, workRepair, leaseMs, logger),
      inject: [RepairQueue, WorkRepair],
    },
    {
      provide: PlanRepair,
      useFactory: (queue: RepairQueue, loop: RepairLoop) => new PlanRepair(queue, () => loop.wake()),
      inject: [RepairQueue, RepairLoop],
    },
  ];
}
