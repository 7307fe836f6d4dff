import type { CheckReason } from './verdict-checks';
import type { Verdict } from './verdict';

/** What looks at the files of a pack before a verdict on it is given. */
export const SCANNERS = ['secrets', 'malware'] as const;
export type Scanner = (typeof SCANNERS)[number];

/**
 * `off`: not asked. `on`: what it finds refuses the pack; while it cannot be reached, it is passed over, and the verdict says so. `required`: no pack
 * is accepted that it did not look at.
 */
export const SCAN_MODES = ['off', 'on', 'required'] as const;
export type ScanMode = (typeof SCAN_MODES)[number];

/** A tenant's choice. */
export type ScanSettings = Readonly<Record<Scanner, ScanMode>>;

/** Of a tenant that chose nothing. */
export const DEFAULT_SCANNING: ScanSettings = { secrets: 'on', malware: 'on' };

/** Why a check `scan` fails. */
export type ScanReason = Extract<CheckReason, 'secret-found' | 'malware-found' | 'scan-limit'>;

/** Where something was found, and by which rule: never what. */
export interface ScanFinding {
  /** In the bundle; within an archive behind its path and a `!`. */
  readonly path: string;
  /** From 1; absent where the file has no lines. */
  readonly line?: number;
  readonly rule: string;
}

/**
 * What one scanner said of one bundle. It names nothing that two clean bundles differ in, so that their reports are one blob; which bundle it speaks
 * of is said by the verdict that names it.
 */
export interface ScanReport {
  readonly schema: 'stellaops.io/scan-report.v1';
  readonly scanner: Scanner;
  readonly engine: ScanEngine;
  /** In the order of the archive, at most `SCAN_FINDINGS_MAX`. */
  readonly findings: readonly ScanFinding[];
  /** There were more than that. */
  readonly isCut?: true;
  /** Archives, and parts of them, that nobody could look into: encrypted, compressed in an unknown way, or damaged. */
  readonly unopened?: readonly { readonly path: string; readonly why: string }[];
  /** What ended the scan. */
  readonly limit?: { readonly name: string; readonly path: string };
}

export interface ScanEngine {
  readonly name: string;
  readonly version: string;
  /** The version of what it knows: its rules or signatures. */
  readonly rules: string;
}

export const SCAN_FINDINGS_MAX = 50;

/** What follows from a report: nothing but the report decides, so a stored one gives the same answer again. */
export function scanOutcome({ scanner, findings, limit }: ScanReport): 'ok' | ScanReason {
  if (findings.length > 0) return scanner === 'secrets' ? 'secret-found' : 'malware-found';
  return limit ? 'scan-limit' : 'ok';
}

/** As the event of a version tells it: whether every scanner that was wanted looked at it, some, or none. */
export function scannedBy({ checks }: Pick<Verdict, 'checks'>): { readonly scanned?: 'wholly' | 'partly' | 'not' } {
  const scans = checks.filter(({ id }) => id === 'scan');
  if (scans.length === 0) return {};
  const looked = scans.filter(({ outcome }) => outcome === 'pass').length;
  return { scanned: looked === scans.length ? 'wholly' : looked > 0 ? 'partly' : 'not' };
}
