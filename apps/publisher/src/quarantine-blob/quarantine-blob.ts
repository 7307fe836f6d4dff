import { BlobQuarantined, type QuarantineBlobReply, type QuarantineBlobRequest } from '@packs/contracts';
import { quarantinedBlobs } from '@packs/observability';
import { examineBlob, type BlobRecords, type BlobStore, type Clock, type Finding, type StoredBlob } from '@packs/ports';
import { blobEvent } from './blob-event';
import type { ReplaceBlob } from '../replace-blob/replace-blob';

/** Takes damaged bytes out of everybody's reach. Reports are only a reason to look: what counts is what is read here. */
export class QuarantineBlob {
  constructor(
    private readonly records: BlobRecords,
    private readonly store: BlobStore,
    private readonly replaceBlob: ReplaceBlob,
    private readonly clock: Clock,
  ) {}

  async execute({ digest, objectKey, reporter }: QuarantineBlobRequest): Promise<QuarantineBlobReply> {
    const blob = await this.records.find(digest);
    if (blob?.objectKey !== objectKey) return { outcome: 'unchanged' };
    const finding = await examineBlob(this.store, blob);
    if (finding === 'sound') return { outcome: 'sound' };
    return { outcome: (await this.isolate(blob, finding, reporter)) ? 'quarantined' : 'unchanged' };
  }

  /** Whole bytes with a damaged record of their blocks are their own repair. */
  async isolate(blob: StoredBlob, finding: Exclude<Finding, 'sound'>, reporter: string): Promise<boolean> {
    const what = finding === 'damaged' ? 'altered or missing bytes' : 'altered checksums';
    const why = { reason: `${what}, found by ${reporter}`, at: this.clock.now() };
    const isolated = await this.records.quarantine(blob, why, use => blobEvent(BlobQuarantined, blob, use, why));
    if (!isolated) return false;
    quarantinedBlobs.inc();
    if (finding === 'checksums') {
      const { digest, size, objectKey } = blob;
      const copy = await this.store.write(this.store.read({ digest, size, objectKey }), { maxBytes: size, digest });
      await this.replaceBlob.execute({ blob: copy });
    }
    return true;
  }
}
