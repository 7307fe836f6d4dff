import { DomainError } from '@packs/domain';

/** What a bundle may cost to read. Sizes are in bytes. */
export interface BundleLimits {
  /** The compressed bundle. */
  readonly size: number;
  readonly entries: number;
  /** The inflated tar archive, headers and padding included. */
  readonly total: number;
  /** Inflated to compressed size, once `RATIO_FLOOR` is passed. */
  readonly ratio: number;
  /** Segments of a path. */
  readonly depth: number;
  /** Bytes of a path in UTF-8. */
  readonly path: number;
  readonly file: number;
}

const MIB = 1024 * 1024;

export const BUNDLE_LIMITS: BundleLimits = {
  size: 512 * MIB,
  entries: 10_000,
  total: 2048 * MIB,
  ratio: 200,
  depth: 16,
  path: 240,
  file: 1024 * MIB,
};

/** Small archives of repetitive text compress well and harm nobody. */
const RATIO_FLOOR = MIB;

/** The most bytes a bundle of `size` may inflate to: known before the first byte is read, whatever the pieces it arrives in. */
export function inflatedLimit(limits: BundleLimits, size: number): { readonly name: 'total' | 'ratio'; readonly bytes: number } {
  const byRatio = Math.max(RATIO_FLOOR, limits.ratio * size);
  return byRatio < limits.total ? { name: 'ratio', bytes: byRatio } : { name: 'total', bytes: limits.total };
}

export function overLimit(limit: keyof BundleLimits, value: number, message: string): DomainError {
  return new DomainError('ERR_PACK_BUNDLE_LIMIT', message, { details: { limit, value } });
}

export function badBundle(message: string, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_BUNDLE_INVALID', message, { cause });
}
