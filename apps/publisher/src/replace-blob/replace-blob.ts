import { BlobRepaired, type ReplaceBlobReply, type ReplaceBlobRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { repairedBlobs, type Logger } from '@packs/observability';
import { damagedObjectOf, examineBlob, isQuarantined, type BlobRecords, type BlobStore, type Clock } from '@packs/ports';
import { blobEvent } from '../quarantine-blob/blob-event';

/** Puts whole bytes in the place of damaged ones, and removes those once nothing leads to them any more. */
export class ReplaceBlob {
  constructor(
    private readonly records: BlobRecords,
    private readonly store: BlobStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError ERR_PACK_CORRUPT when the object given is not the digest's bytes */
  async execute({ blob }: ReplaceBlobRequest): Promise<ReplaceBlobReply> {
    const recorded = await this.records.find(blob.digest);
    // The answer to the same command was lost.
    if (recorded?.objectKey === blob.objectKey) return { outcome: 'replaced' };
    if (!recorded || !isQuarantined(recorded)) return { outcome: 'unchanged' };
    if (blob.size !== recorded.size || (await examineBlob(this.store, blob)) !== 'sound')
      throw new DomainError('ERR_PACK_CORRUPT', `the object given is not ${blob.digest}`, { details: { digest: blob.digest } });
    const at = this.clock.now();
    const damaged = await this.records.replace(blob, (use, reason) => blobEvent(BlobRepaired, blob, use, { reason, at }));
    if (damaged === undefined) return { outcome: 'unchanged' };
    repairedBlobs.inc();
    this.logger.info({ digest: blob.digest }, 'damaged bytes were replaced');
    await this.store.remove(damagedObjectOf({ objectKey: damaged })).catch((error: unknown) => {
      this.logger.warn({ err: error, digest: blob.digest }, 'the damaged object that was replaced is left behind');
    });
    return { outcome: 'replaced' };
  }
}
