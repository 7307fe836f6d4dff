import type { EventEnvelope } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { StoredBlob } from './blob-store';

/** What a blob is to one tenant. */
export interface BlobUse {
  readonly tenant: string;
  /** One of its repositories that have it. */
  readonly repository: string | null;
  /** The version of the pack there that it is part of. */
  readonly version: string | null;
}

/** What the publisher records of every stored blob. What happens to one is told to each tenant that has it, in the same transaction. */
export abstract class BlobRecords {
  /** One in quarantine has such a key. */
  abstract find(digest: Digest): Promise<StoredBlob | undefined>;

  /** @returns false when another object lies under the digest by now, or it is in quarantine already */
  abstract quarantine(
    blob: StoredBlob,
    why: { readonly reason: string; readonly at: Date },
    eventFor: (use: BlobUse) => EventEnvelope,
  ): Promise<boolean>;

  /**
   * Puts an object with the digest's bytes in the place of one in quarantine.
   * @param eventFor is given why that was in quarantine
   * @returns the key of the damaged object, which is nobody's from here on; undefined when the digest is not in quarantine
   */
  abstract replace(blob: StoredBlob, eventFor: (use: BlobUse, reason: string) => EventEnvelope): Promise<string | undefined>;
}
