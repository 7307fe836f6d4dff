import type { ScanSettings } from '@packs/domain';
import type { BlobRef, StoredBlob } from '@packs/ports';
import type { BundleSource } from '../evaluation/bundle-source';
import type { CheckList } from '../evaluation/check-list';

export interface ScanQuestion {
  readonly bundle: BlobRef;
  readonly source: BundleSource;
  readonly settings: ScanSettings;
  readonly signal: AbortSignal;
}

export interface ScanFindings {
  /** Nothing stands against the bundle. */
  readonly clean: boolean;
  /** The reports that the checks name. */
  readonly reports: readonly StoredBlob[];
}

/** How the checks `scan` of a verdict come about. */
export abstract class BundleScans {
  /**
   * Adds one check for each scanner that is not off.
   * @throws DomainError ERR_PACK_SCAN_UNAVAILABLE, to be asked again later: for a scanner that is required and cannot be reached, and for one that did
   *   not look at the bundle to its end; ERR_PACK_UNAVAILABLE where that was this process itself
   */
  abstract scan(question: ScanQuestion, list: CheckList): Promise<ScanFindings>;
}
