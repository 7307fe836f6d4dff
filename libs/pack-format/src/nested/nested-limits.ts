import { DomainError } from '@packs/domain';

/** What the archives within a bundle may cost to look into. */
export interface NestedLimits {
  /** Archives within each other; a `.tar.gz` is two. */
  readonly depth: number;
  /** Files of the bundle and of every archive in it. */
  readonly entries: number;
  /** Bytes that come out of all archives, at every depth. */
  readonly bytes: number;
  /** Bytes that come out of one compressed stream for each that went in, once `RATIO_FLOOR` is passed. */
  readonly ratio: number;
}

const MIB = 1024 * 1024;
const RATIO_FLOOR = MIB;

/** Small bundles have little within them; large ones may be archives all through. */
export function nestedLimits(bundleSize: number): NestedLimits {
  return { depth: 16, entries: 20_000, bytes: Math.min(1024 * MIB, Math.max(32 * MIB, 50 * bundleSize)), ratio: 200 };
}

/** What has been spent of the limits so far. */
export class NestedBudget {
  private entries = 0;
  private bytes = 0;

  constructor(private readonly limits: NestedLimits) {}

  /** @throws DomainError ERR_PACK_SCAN_LIMIT (details: limit, path), as the others do */
  file(path: string): void {
    this.entries += 1;
    if (this.entries > this.limits.entries) throw overNested('entries', path, `there are more than ${this.limits.entries} files`);
  }

  archive(path: string, depth: number): void {
    if (depth >= this.limits.depth) throw overNested('depth', path, `archives lie deeper than ${this.limits.depth} within each other`);
  }

  /** Bytes of an archive's files. */
  content(path: string, bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limits.bytes) throw overNested('bytes', path, `archives hold more than ${this.limits.bytes} bytes`);
  }

  /** Bytes that a compressed stream has given and taken so far. */
  inflated(path: string, given: number, taken: number): void {
    if (given <= Math.max(RATIO_FLOOR, this.limits.ratio * taken)) return;
    throw overNested('ratio', path, `${taken} bytes inflate to more than ${this.limits.ratio} times as many`);
  }
}

function overNested(limit: keyof NestedLimits, path: string, message: string): DomainError {
  return new DomainError('ERR_PACK_SCAN_LIMIT', message, { details: { limit, path } });
}
