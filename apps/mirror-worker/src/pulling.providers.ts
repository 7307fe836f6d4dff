import type { Provider } from '@nestjs/common';
import type { SealOf } from '@packs/oci-layout';
import { DataSource, PostgresRepositoryContents } from '@packs/persistence';
import { BlobStore, CommandBus, ContentCatalog, MirrorQueue, RepositoryContents, SealReadModel, type RemoteRegistries } from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { CarryReferrers } from './carry-referrers/carry-referrers';
import { BringBlobs } from './run-pull/bring-blobs';
import { BringContent } from './run-pull/bring-content';
import { BringPack } from './run-pull/bring-pack';
import { BringReferrers } from './run-pull/bring-referrers';
import { BringTag } from './run-pull/bring-tag';
import { RunPull } from './run-pull/run-pull';

/** What brings content in from other registries. */
export function pulling(
  { maxPulledBundleBytes, maxPulledBlobBytes }: ConfigOf<'mirror-worker'>,
  upstreams: RemoteRegistries,
  sealReadBy: (seals: SealReadModel) => SealOf,
): Provider[] {
  return [
    {
      provide: RepositoryContents,
      useFactory: (dataSource: DataSource) => new PostgresRepositoryContents(dataSource),
      inject: [DataSource],
    },
    {
      provide: BringBlobs,
      useFactory: (blobs: BlobStore, catalog: ContentCatalog, contents: RepositoryContents) =>
        new BringBlobs(blobs, catalog, contents, maxPulledBlobBytes),
      inject: [BlobStore, ContentCatalog, RepositoryContents],
    },
    {
      provide: BringPack,
      useFactory: (contents: RepositoryContents, bringBlobs: BringBlobs, commands: CommandBus) =>
        new BringPack(contents, bringBlobs, commands, maxPulledBundleBytes),
      inject: [RepositoryContents, BringBlobs, CommandBus],
    },
    {
      provide: BringContent,
      useFactory: (...parts: ConstructorParameters<typeof BringContent>) => new BringContent(...parts),
      inject: [RepositoryContents, BringBlobs, CommandBus],
    },
    {
      provide: BringReferrers,
      useFactory: (...parts: ConstructorParameters<typeof BringReferrers>) => new BringReferrers(...parts),
      inject: [RepositoryContents, BringContent],
    },
    {
      provide: BringTag,
      useFactory: (...parts: ConstructorParameters<typeof BringTag>) => new BringTag(...parts),
      inject: [RepositoryContents, BringPack, BringContent, BringReferrers],
    },
    {
      provide: CarryReferrers,
      useFactory: (seals: SealReadModel, bringReferrers: BringReferrers) =>
        new CarryReferrers(upstreams, sealReadBy(seals), bringReferrers, maxPulledBundleBytes),
      inject: [SealReadModel, BringReferrers],
    },
    {
      provide: RunPull,
      useFactory: (seals: SealReadModel, bringTag: BringTag, queue: MirrorQueue) =>
        new RunPull(upstreams, sealReadBy(seals), bringTag, queue),
      inject: [SealReadModel, BringTag, MirrorQueue],
    },
  ];
}
