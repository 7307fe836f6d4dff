import { readFile } from 'node:fs/promises';
import type { Provider } from '@nestjs/common';
import { OutboxRelay } from '@packs/messaging';
import { currentTraceparent, type Logger } from '@packs/observability';
import { DataSource, PostgresAuditReadModel, PostgresContentCatalog, PostgresKitQueue, PostgresKitRecords } from '@packs/persistence';
import {
  AuditReadModel,
  BlobStore,
  Clock,
  CommandBus,
  ContentCatalog,
  KitQueue,
  KitRecords,
  PackInventory,
  RepairingCatalog,
  StatementSigner,
} from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { KeyFileSigner, readKeyList } from '@packs/sigstore';
import { Admission } from './admission/admission';
import { ExportKit } from './export-kit/export-kit';
import { CollectKit } from './make-kit/collect-kit';
import { MakeKit } from './make-kit/make-kit';
import { SealKit } from './make-kit/seal-kit';
import { ReceiveKit } from './receive-kit/receive-kit';
import { StageKit } from './stage-kit/stage-kit';
import { TrustedExporters } from './stage-kit/trusted-exporters';
import { KitLoop } from './work-kits/kit-loop';
import { WorkKit } from './work-kits/work-kit';

type Config = ConfigOf<'mirror-worker'>;

/** Offline kits: what asks for them, what makes them, what takes them in. */
export function kits(config: Config, logger: Logger): Provider[] {
  return [
    ...kitPorts(config),
    ...useCases(),
    {
      provide: WorkKit,
      useFactory: (queue: KitQueue, makeKit: MakeKit, stageKit: StageKit, clock: Clock) =>
        new WorkKit(queue, makeKit, stageKit, clock, config, logger),
      inject: [KitQueue, MakeKit, StageKit, Clock],
    },
    {
      provide: KitLoop,
      useFactory: (queue: KitQueue, workKit: WorkKit, blobs: BlobStore) => new KitLoop(queue, workKit, blobs, config.leaseMs, logger),
      inject: [KitQueue, WorkKit, BlobStore],
    },
  ];
}

function kitPorts({ signingKeyFile, exportersFile, sealed }: Config): Provider[] {
  return [
    { provide: AuditReadModel, useFactory: (dataSource: DataSource) => new PostgresAuditReadModel(dataSource), inject: [DataSource] },
    {
      provide: ContentCatalog,
      useFactory: (dataSource: DataSource, commands: CommandBus) => new RepairingCatalog(new PostgresContentCatalog(dataSource), commands),
      inject: [DataSource, CommandBus],
    },
    { provide: KitRecords, useFactory: (dataSource: DataSource) => new PostgresKitRecords(dataSource), inject: [DataSource] },
    {
      provide: KitQueue,
      useFactory: (dataSource: DataSource, relay: OutboxRelay) =>
        new PostgresKitQueue(dataSource, { committed: () => relay.wake(), traceparent: currentTraceparent }, sealed),
      inject: [DataSource, OutboxRelay],
    },
    { provide: StatementSigner, useFactory: () => KeyFileSigner.open(signingKeyFile) },
    {
      provide: TrustedExporters,
      useFactory: async (records: KitRecords, blobs: BlobStore) =>
        new TrustedExporters(records, blobs, exportersFile === undefined ? [] : readKeyList(await readFile(exportersFile))),
      inject: [KitRecords, BlobStore],
    },
  ];
}

function useCases(): Provider[] {
  return [
    {
      provide: ExportKit,
      useFactory: (queue: KitQueue, audit: AuditReadModel, signer: StatementSigner, loop: KitLoop) =>
        new ExportKit(queue, audit, signer, () => loop.wake()),
      inject: [KitQueue, AuditReadModel, StatementSigner, KitLoop],
    },
    {
      provide: ReceiveKit,
      useFactory: (queue: KitQueue, loop: KitLoop) => new ReceiveKit(queue, () => loop.wake()),
      inject: [KitQueue, KitLoop],
    },
    {
      provide: CollectKit,
      useFactory: (...parts: ConstructorParameters<typeof CollectKit>) => new CollectKit(...parts),
      inject: [AuditReadModel, PackInventory, KitRecords, BlobStore, Admission],
    },
    {
      provide: SealKit,
      useFactory: (...parts: ConstructorParameters<typeof SealKit>) => new SealKit(...parts),
      inject: [BlobStore, ContentCatalog, StatementSigner],
    },
    {
      provide: MakeKit,
      useFactory: (
        queue: KitQueue,
        collectKit: CollectKit,
        sealKit: SealKit,
        clock: Clock,
        ...sources: [AuditReadModel, KitRecords, BlobStore, StatementSigner]
      ) => {
        const [audit, records, blobs, signer] = sources;
        return new MakeKit(queue, { audit, records, blobs, signer }, collectKit, sealKit, clock);
      },
      inject: [KitQueue, CollectKit, SealKit, Clock, AuditReadModel, KitRecords, BlobStore, StatementSigner],
    },
    {
      provide: StageKit,
      useFactory: (...parts: ConstructorParameters<typeof StageKit>) => new StageKit(...parts),
      inject: [KitQueue, BlobStore, KitRecords, TrustedExporters, CommandBus],
    },
  ];
}
