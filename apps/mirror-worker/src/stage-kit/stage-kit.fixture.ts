import type { ImportReport, ImportResult } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import {
  KitQueue,
  KitRecords,
  LeaseLost,
  type BlobRef,
  type HeldImport,
  type KitSettlingTx,
  type StoredBlob,
  type VersionName,
} from '@packs/ports';

/** A queue with one import, held until it is lost. */
export class OneImport extends KitQueue {
  readonly rows = new Map<Digest, StoredBlob>();
  lost = false;
  reported: ImportReport | undefined;
  result: ImportResult | undefined;

  async add(): Promise<void> {}
  async claim(): Promise<undefined> {}
  async renew(): Promise<void> {}
  async fixGeneration(): Promise<void> {}
  async release(): Promise<void> {}
  async retryLater(): Promise<void> {}
  async clear(): Promise<boolean> {
    return false;
  }

  async report(_job: HeldImport, report: ImportReport): Promise<void> {
    this.reported = report;
  }

  async staged(): Promise<ReadonlyMap<Digest, StoredBlob>> {
    return new Map(this.rows);
  }

  async stage(job: HeldImport, blobs: readonly StoredBlob[]): Promise<void> {
    if (this.lost) throw new LeaseLost(job);
    for (const blob of blobs) this.rows.set(blob.digest, blob);
  }

  async settle(_job: HeldImport, work: (tx: KitSettlingTx) => Promise<void>): Promise<void> {
    await work({
      exported: () => Promise.reject(new Error('no export')),
      imported: async result => void (this.result = result),
      fail: () => Promise.reject(new Error('not settled here')),
      outbox: { append: () => Promise.resolve() },
    });
  }
}

/** A registry that has nothing but what it is told to have. */
export class FewRecords extends KitRecords {
  known: (VersionName & { readonly manifestDigest: Digest })[] = [];
  earlier: { newest: number | null; isImported: boolean } = { newest: null, isImported: false };

  async isAuditComplete(): Promise<boolean> {
    return true;
  }
  async versions(): Promise<never[]> {
    return [];
  }
  async policies(): Promise<never[]> {
    return [];
  }
  async blobs(): Promise<ReadonlyMap<Digest, StoredBlob>> {
    return new Map();
  }
  async exporters(): Promise<BlobRef | null> {
    return null;
  }
  async published(): Promise<(VersionName & { readonly manifestDigest: Digest })[]> {
    return this.known;
  }
  async imported(): Promise<{ newest: number | null; isImported: boolean }> {
    return this.earlier;
  }
}
