import { scanOutcome, type Digest, type ErrorCode, type ScanReason, type ScanReport } from '@packs/domain';
import type { CheckList } from '../evaluation/check-list';

const CODES: Readonly<Record<ScanReason, ErrorCode>> = {
  'secret-found': 'ERR_PACK_SECRET_FOUND',
  'malware-found': 'ERR_PACK_MALWARE_FOUND',
  'scan-limit': 'ERR_PACK_SCAN_LIMIT',
};

/**
 * Adds the check that follows from a report. Nothing else decides, so that a stored report gives the same check again.
 * @returns whether it passed
 */
export function judgeReport(report: ScanReport, digest: Digest, list: CheckList): boolean {
  const reason = scanOutcome(report);
  list.scan(report.scanner, reason === 'ok' ? 'pass' : 'fail', reason, digest);
  if (reason === 'ok') return true;
  for (const message of messagesOf(report, reason)) list.explain({ code: CODES[reason], reason, message });
  return false;
}

function messagesOf({ findings, limit, isCut }: ScanReport, reason: ScanReason): string[] {
  if (reason === 'scan-limit') return [`${shown(limit?.path)} is more than a scan looks at: ${limit?.name}`];
  const what = reason === 'secret-found' ? 'holds what looks like a secret' : 'holds malware';
  const messages = findings.map(({ path, line, rule }) => `${shown(path)}${line === undefined ? '' : ` line ${line}`} ${what}: ${rule}`);
  return isCut ? [...messages, 'there are more'] : messages;
}

/** Its end says more than its start. */
function shown(path = ''): string {
  return JSON.stringify(path.length > 160 ? `…${path.slice(-159)}` : path);
}
