import { kitFault } from './kit-fault';

/** What a kit may cost to read. Sizes are in bytes. */
export interface KitLimits {
  readonly size: number;
  readonly entries: number;
  /** One blob. */
  readonly blob: number;
  /** One of the documents that describe the kit; they are read whole. */
  readonly document: number;
}

const GIB = 1024 ** 3;

export const KIT_LIMITS: KitLimits = {
  size: 1024 * GIB,
  entries: 2_000_000,
  // The largest size a ustar header can state.
  blob: 8 * GIB - 1,
  document: GIB / 4,
};

/** @throws DomainError ERR_KIT_LIMIT naming the limit */
export function holdTo(limits: KitLimits, limit: keyof KitLimits, value: number): void {
  if (value > limits[limit])
    throw kitFault('ERR_KIT_LIMIT', `the kit exceeds the limit of ${limits[limit]} for ${limit}`, { limit, value });
}
