import { fileURLToPath } from 'node:url';
import type { ProcessName } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { Logger } from '@packs/observability';
import { DamageReports, ReportingBlobStore, type BlobStore, type CommandBus } from '@packs/ports';
import { FileBlobStore } from './file-blob-store';

/** As configuration has them. */
export interface BlobStoreSettings {
  readonly blobStore: string;
  readonly blobStoreAccessKey: string | undefined;
  readonly blobStoreSecretKey: string | undefined;
}

/** The store that BLOB_STORE names: a folder is made, a bucket must be there. */
export async function openBlobStore(settings: BlobStoreSettings): Promise<BlobStore> {
  if (settings.blobStore.startsWith('file:')) return FileBlobStore.open(fileURLToPath(settings.blobStore));
  return openBucket(settings);
}

/** That store, for one who only reads: nothing is made and nothing cleared away. */
export async function openBlobStoreToRead(settings: BlobStoreSettings): Promise<BlobStore> {
  if (settings.blobStore.startsWith('file:')) return FileBlobStore.openToRead(fileURLToPath(settings.blobStore));
  return openBucket(settings);
}

async function openBucket(settings: BlobStoreSettings): Promise<BlobStore> {
  const { blobStoreAccessKey: accessKey, blobStoreSecretKey: secretKey } = settings;
  if (!accessKey || !secretKey) throw new Error('a bucket in BLOB_STORE needs BLOB_STORE_ACCESS_KEY and BLOB_STORE_SECRET_KEY');
  // Of no use to those with a folder, and megabytes of every process.
  const [{ S3BlobStore }, { s3Location }] = [await import('./s3/s3-blob-store'), await import('./s3/s3-location')];
  return new S3BlobStore(s3Location(settings.blobStore), { accessKey, secretKey });
}

/** That store, for a process that hands on what it reads: what it finds damaged there is reported to who puts it in quarantine. */
export async function openReportingBlobStore(
  settings: BlobStoreSettings,
  commands: CommandBus,
  process: ProcessName,
  logger: Logger,
): Promise<BlobStore> {
  const failed = (err: unknown, digest: Digest): void => logger.warn({ err, digest }, 'damage could not be reported');
  return new ReportingBlobStore(await openBlobStore(settings), new DamageReports(commands, process, failed));
}
