import { sha256, type Digest } from '@packs/domain';
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

  /** Whether they heal anything is asked while they are written, of all that are written at a time in one question. */
  override async writeBytes(bytes: Uint8Array, digest?: Digest): Promise<StoredBlob> {
    const asked = this.records.find(digest ?? sha256(bytes));
    const [blob, recorded] = await Promise.all([super.writeBytes(bytes, digest), asked]);
    return this.heal(blob, recorded);
  }

  private async healing(blob: StoredBlob): Promise<StoredBlob> {
    return this.heal(blob, await this.records.find(blob.digest));
  }

  private async heal(blob: StoredBlob, recorded: StoredBlob | undefined): Promise<StoredBlob> {
    if (recorded && isQuarantined(recorded)) await this.replaceBlob.execute({ blob });
    return blob;
  }
}
