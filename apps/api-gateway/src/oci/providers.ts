import type { Provider } from '@nestjs/common';
import type { Logger } from '@packs/observability';
import {
  BlobStore,
  Clock,
  CommandBus,
  ContentCatalog,
  GenericContent,
  ReadChanges,
  RepositoryReadModel,
  UploadSessions,
} from '@packs/ports';
import type { ConfigOf } from '@packs/service-host';
import { BundleSender } from '../serving/send-bundle';
import { ServableVersions } from '../serving/servable-versions';
import { ociEndpoints } from './endpoints';
import { PutPlain } from './put-manifest/put-plain';
import { redirectTo } from './reading/get-blob';
import { SmallContent } from './reading/small-content';
import { ReadBarrier } from './reading/read-barrier';
import { ReadableContent } from './reading/readable-content';
import { SweepUploads } from './uploads/sweep-uploads';

export const OCI_ENDPOINTS = Symbol('OciEndpoints');
type Config = Pick<ConfigOf<'api-gateway'>, 'maxBlobBytes' | 'maxUploads' | 'uploadSeconds' | 'blobRedirectSeconds'>;

/** What answers on /v2, and what clears away the uploads that were left there. */
export function ociProviders(config: Config, logger: Logger): Provider[] {
  return [
    {
      provide: ReadBarrier,
      useFactory: (changes: ReadChanges) => new ReadBarrier(changes, logger),
      inject: [ReadChanges],
    },
    {
      provide: ReadableContent,
      useFactory: (...parts: ConstructorParameters<typeof ReadableContent>) => new ReadableContent(...parts),
      inject: [RepositoryReadModel, ServableVersions, ReadBarrier],
    },
    {
      provide: OCI_ENDPOINTS,
      useFactory: (
        repositories: RepositoryReadModel,
        readable: ReadableContent,
        sender: BundleSender,
        ...[sessions, blobs, catalog, commands, plain]: [UploadSessions, BlobStore, ContentCatalog, CommandBus, PutPlain]
      ) =>
        ociEndpoints({
          repositories,
          readable,
          content: new SmallContent(blobs),
          sender,
          redirect: redirectTo(blobs, config.blobRedirectSeconds),
          writing: { sessions, blobs, catalog, commands, plain, limits: config },
        }),
      inject: [RepositoryReadModel, ReadableContent, BundleSender, UploadSessions, BlobStore, ContentCatalog, CommandBus, PutPlain],
    },
    {
      provide: PutPlain,
      useFactory: (generic: GenericContent, blobs: BlobStore, clock: Clock) => new PutPlain(generic, blobs, clock, logger),
      inject: [GenericContent, BlobStore, Clock],
    },
    {
      provide: SweepUploads,
      useFactory: (sessions: UploadSessions, blobs: BlobStore, clock: Clock) =>
        new SweepUploads(sessions, blobs, clock, logger, config.uploadSeconds * 1000),
      inject: [UploadSessions, BlobStore, Clock],
    },
  ];
}
