import type { ExportView, ImportView } from '@packs/contracts';
import type { BlobRef, StoredBlob } from './blob-store';

/** The gateway's side of kits. */
export abstract class KitReadModel {
  abstract findExport(tenant: string, id: string): Promise<ExportView | undefined>;
  /** Kit and signature of an export that has succeeded. */
  abstract exported(
    tenant: string,
    id: string,
  ): Promise<{ readonly kit: StoredBlob; readonly signature: StoredBlob; readonly generation: number } | undefined>;
  abstract findImport(tenant: string, id: string): Promise<ImportView | undefined>;
  /** The keys the tenant takes kits from; null while it has named none. */
  abstract exporters(tenant: string): Promise<BlobRef | null>;
}
