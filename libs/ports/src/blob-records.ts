import type { Digest } from '@packs/domain';
import type { StoredBlob } from './blob-store';

/** What the publisher records of every stored blob. */
export abstract class BlobRecords {
  /** One in quarantine has such a key. */
  abstract find(digest: Digest): Promise<StoredBlob | undefined>;

  /**
   * Puts the blob in quarantine, with an event for each tenant that uses it.
   * @returns false when another object lies under the digest by now, or it is in quarantine already
   */
  abstract quarantine(blob: StoredBlob, reason: string, at: Date): Promise<boolean>;

  /**
   * Puts an object with the digest's bytes in the place of one in quarantine, with an event for each tenant that uses it.
   * @returns the key of the damaged object, which is nobody's from here on; undefined when the digest is not in quarantine
   */
  abstract replace(blob: StoredBlob, at: Date): Promise<string | undefined>;
}
