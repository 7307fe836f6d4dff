import type { Provider, Type } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import { DataSource, PostgresRegistryUnitOfWork, PostgresReverificationQueue } from '@packs/persistence';
import { BlobStore, Clock, CommandBus, RegistryUnitOfWork, ReverificationQueue } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { RotateSignature } from '../rotate-signature/rotate-signature';
import { RotateSignatureHandler } from '../rotate-signature/rotate-signature.handler';
import { SettleVersion } from '../settle-version/settle-version';
import { StartReverification } from '../start-reverification/start-reverification';
import { StartReverificationHandler } from '../start-reverification/start-reverification.handler';
import { ReverificationLoop } from './reverification-loop';
import { WorkReverification } from './work-reverification';

const SECONDS_PER_MINUTE = 60;
/** Versions of which no verdict could be had are tried again after this time. */
const AFTER_FAILURE_SECONDS = 300;

export const TRUSTING_HANDLERS: Type[] = [RotateSignatureHandler, StartReverificationHandler];

/** What keeps published versions in step with what their signatures are worth. */
export function reverifying(config: ConfigOf<'publisher'>, logger: Logger): Provider[] {
  const { reverifyLeaseMs: leaseMs, reverifyIntervalMinutes: minutes } = config;
  const schedule = { leaseMs, intervals: { seconds: minutes * SECONDS_PER_MINUTE, afterFailureSeconds: AFTER_FAILURE_SECONDS } };
  return [
    {
      provide: RotateSignature,
      useFactory: (...parts: ConstructorParameters<typeof RotateSignature>) => new RotateSignature(...parts),
      inject: [RegistryUnitOfWork, CommandBus, BlobStore, Clock],
    },
    {
      provide: ReverificationQueue,
      useFactory: (dataSource: DataSource) => new PostgresReverificationQueue(dataSource),
      inject: [DataSource],
    },
    {
      // Upkeep: it goes on while a registry is sealed.
      provide: SettleVersion,
      useFactory: (unitOfWork: PostgresRegistryUnitOfWork, commands: CommandBus, clock: Clock) =>
        new SettleVersion(unitOfWork, commands, clock),
      inject: [PostgresRegistryUnitOfWork, CommandBus, Clock],
    },
    {
      provide: WorkReverification,
      useFactory: (queue: ReverificationQueue, settle: SettleVersion, unitOfWork: PostgresRegistryUnitOfWork) =>
        new WorkReverification(
          queue,
          settle,
          async tenant => (await unitOfWork.run(tenant, tx => tx.trust.state(tenant, 'none'))).epoch,
          leaseMs,
          logger,
        ),
      inject: [ReverificationQueue, SettleVersion, PostgresRegistryUnitOfWork],
    },
    {
      provide: ReverificationLoop,
      useFactory: (queue: ReverificationQueue, work: WorkReverification) => new ReverificationLoop(queue, work, schedule, logger),
      inject: [ReverificationQueue, WorkReverification],
    },
    {
      provide: StartReverification,
      useFactory: (queue: ReverificationQueue, loop: ReverificationLoop) => new StartReverification(queue, () => loop.wake()),
      inject: [ReverificationQueue, ReverificationLoop],
    },
  ];
}
