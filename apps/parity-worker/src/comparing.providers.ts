import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { Clock, MirrorReadModel, MirrorTargets, PackInventory, ParityQueue, ParityUnitOfWork } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { CheckParity } from './check-parity/check-parity';
import { CompareMirror } from './compare-mirror/compare-mirror';
import { PlanParity } from './plan-parity/plan-parity';
import { ComparisonLoop } from './work-comparisons/comparison-loop';
import { WorkComparison } from './work-comparisons/work-comparison';

/** Comparisons: what asks for them and what makes them. */
export function comparing({ leaseMs, attempts, intervalSeconds }: ConfigOf<'parity-worker'>, logger: Logger): Provider[] {
  return [
    {
      provide: CheckParity,
      useFactory: (unitOfWork: ParityUnitOfWork, mirrors: MirrorReadModel, loop: ComparisonLoop) =>
        new CheckParity(unitOfWork, mirrors, () => loop.wake()),
      inject: [ParityUnitOfWork, MirrorReadModel, ComparisonLoop],
    },
    {
      provide: PlanParity,
      useFactory: (unitOfWork: ParityUnitOfWork, mirrors: MirrorReadModel, inventory: PackInventory, loop: ComparisonLoop) =>
        new PlanParity(unitOfWork, mirrors, inventory, () => loop.wake()),
      inject: [ParityUnitOfWork, MirrorReadModel, PackInventory, ComparisonLoop],
    },
    {
      provide: CompareMirror,
      useFactory: (...parts: ConstructorParameters<typeof CompareMirror>) => new CompareMirror(...parts),
      inject: [PackInventory, MirrorTargets, ParityQueue],
    },
    {
      provide: WorkComparison,
      useFactory: (queue: ParityQueue, mirrors: MirrorReadModel, compare: CompareMirror, clock: Clock) =>
        new WorkComparison(queue, mirrors, compare, clock, { leaseMs, attempts }, logger),
      inject: [ParityQueue, MirrorReadModel, CompareMirror, Clock],
    },
    {
      provide: ComparisonLoop,
      useFactory: (queue: ParityQueue, work: WorkComparison) => new ComparisonLoop(queue, work, { leaseMs, intervalSeconds }, logger),
      inject: [ParityQueue, WorkComparison],
    },
  ];
}
