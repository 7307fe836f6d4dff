import type { ScanReport, Scanner } from '@packs/domain';

/** Who is given one file's content, piece by piece. A piece is another's again once `write` has resolved. */
export interface ScannedFile {
  write(piece: Buffer): Promise<void> | void;
  end(): Promise<void> | void;
}

/** One scanner's look at one bundle. */
export interface Scan {
  open(path: string): ScannedFile;
  /**
   * What was found, when every file has been given.
   * @throws DomainError ERR_PACK_UNAVAILABLE, or ERR_PACK_SCAN_UNAVAILABLE of a scanner outside, when it was not looked at to its end
   */
  finish(): Promise<ScanReport>;
  /** Frees what the scan holds, however far it came. */
  close(): void;
}

export abstract class BundleScanner {
  abstract readonly scanner: Scanner;

  /**
   * Begins the look at one bundle.
   * @throws ScannerUnreachable before anything of the bundle was shown to anybody
   */
  abstract begin(signal: AbortSignal): Promise<Scan>;

  /** @throws ScannerUnreachable */
  async check(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Nothing of a bundle was shown to the scanner: whoever does not require it may go on without. */
export class ScannerUnreachable extends Error {}
