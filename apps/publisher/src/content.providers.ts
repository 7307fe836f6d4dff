import type { Provider, Type } from '@nestjs/common';
import { OutboxRelay } from '@packs/messaging';
import { openBlobStore } from '@packs/object-storage';
import { currentTraceparent, type Logger } from '@packs/observability';
import { DataSource, PostgresBlobRecords, PostgresScrubQueue } from '@packs/persistence';
import { BlobRecords, BlobStore, Clock, CommandBus, DamageReports, ScrubQueue } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { CancelScrub } from './cancel-scrub/cancel-scrub';
import { CancelScrubHandler } from './cancel-scrub/cancel-scrub.handler';
import { GetScrub } from './get-scrub/get-scrub';
import { GetScrubHandler } from './get-scrub/get-scrub.handler';
import { QuarantineBlob } from './quarantine-blob/quarantine-blob';
import { QuarantineBlobHandler } from './quarantine-blob/quarantine-blob.handler';
import { RepairingBlobStore } from './replace-blob/repairing-blob-store';
import { ReplaceBlob } from './replace-blob/replace-blob';
import { ReplaceBlobHandler } from './replace-blob/replace-blob.handler';
import { StartScrub } from './start-scrub/start-scrub';
import { StartScrubHandler } from './start-scrub/start-scrub.handler';
import { ScrubLoop } from './work-scrubs/scrub-loop';
import { WorkScrub } from './work-scrubs/work-scrub';

type Config = ConfigOf<'publisher'>;

/** The store as it is: who judges damage, and who repairs it, must not report what it finds. */
const PLAIN_STORE = Symbol('PlainBlobStore');
const SECONDS_PER_HOUR = 3600;

export const CONTENT_HANDLERS: Type[] = [QuarantineBlobHandler, ReplaceBlobHandler, StartScrubHandler, GetScrubHandler, CancelScrubHandler];

/** Bytes at rest: what is damaged, what replaces it, and who looks for it. */
export function keepingContent(config: Config, logger: Logger): Provider[] {
  const pace = { leaseMs: config.scrubLeaseMs, bytesPerSecond: config.scrubMibPerSecond * 1024 * 1024 };
  const hours = config.scrubIntervalHours;
  const schedule = { leaseMs: config.scrubLeaseMs, intervalSeconds: hours === undefined ? undefined : hours * SECONDS_PER_HOUR };
  return [
    { provide: PLAIN_STORE, useFactory: () => openBlobStore(config) },
    {
      provide: BlobRecords,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) =>
        new PostgresBlobRecords(dataSource, { committed: () => relay.wake(), traceparent: currentTraceparent }, config.operatorTenant),
      inject: [DataSource, OutboxRelay],
    },
    { provide: ScrubQueue, useFactory: (dataSource: DataSource) => new PostgresScrubQueue(dataSource), inject: [DataSource] },
    {
      provide: ReplaceBlob,
      useFactory: (records: BlobRecords, store: BlobStore, clock: Clock) => new ReplaceBlob(records, store, clock, logger),
      inject: [BlobRecords, PLAIN_STORE, Clock],
    },
    {
      provide: QuarantineBlob,
      useFactory: (...parts: ConstructorParameters<typeof QuarantineBlob>) => new QuarantineBlob(...parts),
      inject: [BlobRecords, PLAIN_STORE, ReplaceBlob, Clock],
    },
    {
      provide: BlobStore,
      useFactory: (store: BlobStore, commands: CommandBus, records: BlobRecords, replaceBlob: ReplaceBlob) => {
        const reports = new DamageReports(commands, 'publisher', (err, digest) =>
          logger.warn({ err, digest }, 'damage could not be reported'),
        );
        return new RepairingBlobStore(store, reports, records, replaceBlob);
      },
      inject: [PLAIN_STORE, CommandBus, BlobRecords, ReplaceBlob],
    },
    {
      provide: WorkScrub,
      useFactory: (queue: ScrubQueue, store: BlobStore, quarantineBlob: QuarantineBlob) =>
        new WorkScrub(queue, store, quarantineBlob, pace, logger),
      inject: [ScrubQueue, PLAIN_STORE, QuarantineBlob],
    },
    {
      provide: ScrubLoop,
      useFactory: (queue: ScrubQueue, workScrub: WorkScrub) => new ScrubLoop(queue, workScrub, schedule, logger),
      inject: [ScrubQueue, WorkScrub],
    },
    {
      provide: StartScrub,
      useFactory: (queue: ScrubQueue, loop: ScrubLoop) => new StartScrub(queue, config.operatorTenant, () => loop.wake()),
      inject: [ScrubQueue, ScrubLoop],
    },
    ...[GetScrub, CancelScrub].map(useCase => ({
      provide: useCase,
      useFactory: (queue: ScrubQueue) => new useCase(queue, config.operatorTenant),
      inject: [ScrubQueue],
    })),
  ];
}
