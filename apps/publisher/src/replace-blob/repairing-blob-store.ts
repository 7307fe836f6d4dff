import type { Digest } from '@packs/domain';
import {
  isQuarantined,
  ReportingBlobStore,
  type BlobRecords,
  type BlobStore,
  type DamageReports,
  type StoredBlob,
  type WriteExpectation,
} from '@packs/ports';
import type { ReplaceBlob } from './replace-blob';

/** What the publisher writes anew heals what lies in quarantine under the same digest. */
export class RepairingBlobStore extends ReportingBlobStore {
  constructor(
    beneath: BlobStore,
    reports: DamageReports,
    private readonly records: BlobRecords,
    private readonly replaceBlob: ReplaceBlob,
  ) {
    super(beneath, reports);
  }

  override async write(source: AsyncIterable<Uint8Array>, expect: WriteExpectation): Promise<StoredBlob> {
    return this.healing(await super.write(source, expect));
  }

  override async writeBytes(bytes: Uint8Array, digest?: Digest): Promise<StoredBlob> {
    return this.healing(await super.writeBytes(bytes, digest));
  }

  private async healing(blob: StoredBlob): Promise<StoredBlob> {
    const recorded = await this.records.find(blob.digest);
    if (recorded && isQuarantined(recorded)) await this.replaceBlob.execute({ blob });
    return blob;
  }
}
