import type { ExportRequest, ExportResult, ImportReport, ImportRequest, ImportResult, KitJobError } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { StoredBlob } from './blob-store';
import type { Outbox } from './outbox';

export interface KitOrigin {
  readonly tenant: string;
  readonly actor: string;
  readonly source: string | null;
}

interface Held {
  readonly id: string;
  readonly tenant: string;
  readonly owner: string;
  readonly attempt: number;
  readonly requestedBy: string;
  readonly source: string | null;
}

/** A job on a kit that this worker holds: nobody else works on it while its lease is renewed in time. */
export type HeldExport = Held & { readonly kind: 'export'; readonly request: ExportRequest; readonly generation: number | null };
export type HeldImport = Held & { readonly kind: 'import'; readonly request: ImportRequest };
export type HeldKitJob = HeldExport | HeldImport;

/** The end of a job, which only its holder can bring about. */
export interface KitSettlingTx {
  /** Kit and signature are recorded as content. */
  exported(result: ExportResult): Promise<void>;
  imported(result: ImportResult): Promise<void>;
  /** @param clear whether what was staged can be removed: not while somebody may still be using it */
  fail(error: KitJobError, clear: boolean): Promise<void>;
  readonly outbox: Outbox;
}

/** Exports and imports to be done, over all tenants. */
export abstract class KitQueue {
  /** A job that is there already is not added again. */
  abstract add(
    origin: KitOrigin,
    id: string,
    job: { readonly kind: 'export'; readonly request: ExportRequest } | { readonly kind: 'import'; readonly request: ImportRequest },
  ): Promise<void>;

  /** Takes the oldest job that may be begun. One import of a tenant runs at a time. */
  abstract claim(owner: string, leaseMs: number): Promise<HeldKitJob | undefined>;

  /** @throws LeaseLost */
  abstract renew(job: HeldKitJob, leaseMs: number, progress: { readonly done: number; readonly total: number }): Promise<void>;

  /** @throws LeaseLost */
  abstract fixGeneration(job: HeldKitJob, generation: number): Promise<void>;

  /** @throws LeaseLost */
  abstract report(job: HeldImport, report: ImportReport): Promise<void>;

  /** What was staged for the job before. */
  abstract staged(job: HeldImport): Promise<ReadonlyMap<Digest, StoredBlob>>;

  /** Records a proven object that belongs to the job and that nobody else can see. @throws LeaseLost */
  abstract stage(job: HeldImport, blobs: readonly StoredBlob[]): Promise<void>;

  /** One transaction in which nobody else can take the job over. @throws LeaseLost */
  abstract settle(job: HeldKitJob, work: (tx: KitSettlingTx) => Promise<void>): Promise<void>;

  /** Lets the job be tried again after a pause. @throws LeaseLost */
  abstract retryLater(job: HeldKitJob, error: KitJobError, delayMs: number): Promise<void>;

  /** Gives the job back, for anybody to take at once. @throws LeaseLost */
  abstract release(job: HeldKitJob): Promise<void>;

  /**
   * Hands the objects of one finished import that nothing refers to, those staged and those uploaded, to `remove`, and forgets them.
   * @returns false when there is none
   */
  abstract clear(remove: (objectKeys: readonly string[]) => Promise<void>): Promise<boolean>;
}
