import type { Digest } from '@packs/domain';
import type { BlobRef, StoredBlob } from './blob-store';

/** What the registry remembers of kits, within one of its transactions. */
export abstract class KitStore {
  /** The keys the tenant takes kits from; null while it has named none. */
  abstract exporters(tenant: string): Promise<BlobRef | null>;
  abstract setExporters(tenant: string, keys: BlobRef, actor: string, at: string): Promise<void>;
  /** The newest generation that was imported from a source, and whether this kit was. */
  abstract imported(tenant: string, log: Digest, kit: Digest): Promise<{ readonly newest: number | null; readonly isImported: boolean }>;
  abstract addImported(
    tenant: string,
    imported: {
      readonly log: Digest;
      readonly kit: Digest;
      readonly generation: number;
      readonly exporter: Digest;
      readonly at: string;
      readonly actor: string;
    },
  ): Promise<void>;
  /** Records proven blobs as content; an earlier record of a digest stays. @returns the record that holds, by digest */
  abstract addBlobs(blobs: readonly StoredBlob[]): Promise<ReadonlyMap<Digest, StoredBlob>>;
}
