import type { SkippedVersion } from '@packs/contracts';
import type { SyncCounts } from '@packs/ports';

/** Skipped versions that are named; all are counted. */
const NAMED = 100;

/** How far a sync is. */
export class SyncTally {
  readonly skipped: SkippedVersion[] = [];
  private versions = 0;
  private bytes = 0;
  private copiedBytes = 0;
  private repaired = 0;
  private skips = 0;

  constructor(private readonly total: { readonly versions: number; readonly bytes: number }) {}

  present(bytes: number): void {
    this.bytes += bytes;
  }

  copied(bytes: number, { repaired }: { readonly repaired: boolean }): void {
    this.bytes += bytes;
    this.copiedBytes += bytes;
    if (repaired) this.repaired += 1;
  }

  versionDone(): void {
    this.versions += 1;
  }

  skip(version: SkippedVersion): void {
    this.skips += 1;
    if (this.skipped.length < NAMED) this.skipped.push(version);
  }

  counts(): SyncCounts {
    // Versions that are published meanwhile are copied as well, and a blob that two share counts for both.
    const totalVersions = Math.max(this.total.versions, this.versions + this.skips);
    return { ...this.done(), totalVersions, totalBytes: Math.max(this.total.bytes, this.bytes) };
  }

  final(): SyncCounts {
    return { ...this.done(), totalVersions: this.versions + this.skips, totalBytes: this.bytes };
  }

  private done() {
    return { versions: this.versions, bytes: this.bytes, copiedBytes: this.copiedBytes, repaired: this.repaired, skipped: this.skips };
  }
}
