import type { Scanner } from '@packs/domain';
import type { BundleScanner } from '@packs/scanning';

/** Asks every scanner whether it is there, so that one that is gone is seen before a pack has to be passed by it. */
export async function watchScanners(scanners: readonly BundleScanner[], tell: (scanner: Scanner, isUp: boolean) => void): Promise<number> {
  for (const scanner of scanners) {
    const isUp = await scanner.check().then(
      () => true,
      () => false,
    );
    tell(scanner.scanner, isUp);
  }
  return 0;
}
