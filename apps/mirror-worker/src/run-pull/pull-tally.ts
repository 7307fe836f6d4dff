import type { SkippedVersion } from '@packs/contracts';
import { canonicalDigest, type Digest, type DomainError } from '@packs/domain';
import type { SyncCounts, SyncOutcome } from '@packs/ports';

/** Refusals that are named; all are counted. */
const NAMED = 100;
const REASON_MAX = 500;

/** How far a pull is. */
export class PullTally {
  readonly skipped: SkippedVersion[] = [];
  private readonly here: { readonly repository: string; readonly tag: string; readonly digest: Digest }[] = [];
  private bytes = 0;
  private refusals = 0;
  total = 0;

  fetched(bytes: number): void {
    this.bytes += bytes;
  }

  done(repository: string, tag: string, digest: Digest): void {
    this.here.push({ repository, tag, digest });
  }

  refuse(repository: string, what: string, { code, message }: DomainError): void {
    this.refusals += 1;
    const reason = message.slice(0, REASON_MAX).toWellFormed().replaceAll('\0', '');
    if (this.skipped.length < NAMED) this.skipped.push({ packId: repository, version: what, code, reason });
  }

  counts(): SyncCounts {
    const { bytes } = this;
    const versions = this.here.length;
    return {
      ...{ versions, totalVersions: Math.max(this.total, versions) },
      ...{ bytes, totalBytes: bytes, copiedBytes: bytes, repaired: 0, skipped: this.refusals },
    };
  }

  /** Its state is what is here of what is wanted. */
  outcome(): SyncOutcome {
    const order = this.here.toSorted((a, b) => (`${a.repository}:${a.tag}` < `${b.repository}:${b.tag}` ? -1 : 1));
    return { stateDigest: canonicalDigest(order), counts: this.counts(), skipped: this.skipped };
  }
}
