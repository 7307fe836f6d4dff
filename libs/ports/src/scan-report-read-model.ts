import type { Digest } from '@packs/domain';
import type { StoredBlob } from './blob-store';

export abstract class ScanReportReadModel {
  /** Where a report lies that a verdict of the tenant names; undefined for every other blob. */
  abstract find(tenant: string, digest: Digest): Promise<StoredBlob | undefined>;
}
