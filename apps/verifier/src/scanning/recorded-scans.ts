import type { Check, ScanReport } from '@packs/domain';
import { readWhole, type BlobRef, type BlobStore } from '@packs/ports';
import type { CheckList } from '../evaluation/check-list';
import { BundleScans, type ScanFindings, type ScanQuestion } from './bundle-scans';
import { judgeReport } from './judge-report';

const REPORT_MAX_BYTES = 256 * 1024;

/** Takes what scanners said from storage: a verdict that is run again asks no scanner, and judges their reports anew. */
export class RecordedScans extends BundleScans {
  /**
   * @param checks those of the verdict that was given
   * @param reports where the reports lie that these name
   */
  constructor(
    private readonly blobs: BlobStore,
    private readonly checks: readonly Check[],
    private readonly reports: readonly BlobRef[],
  ) {
    super();
  }

  /** A report that is not there, or not whole, leaves its check out: another hash follows. */
  async scan({ settings }: ScanQuestion, list: CheckList): Promise<ScanFindings> {
    let clean = true;
    for (const { id, scanner, outcome, reason, evidence } of this.checks) {
      if (id !== 'scan' || scanner === undefined || settings[scanner] === 'off') continue;
      // That a scanner was not there is no finding about the bundle, and only one that is not required may be passed over.
      if (outcome === 'skipped' && settings[scanner] === 'on') list.scan(scanner, outcome, reason);
      const ref = outcome === 'skipped' ? undefined : this.reports.find(({ digest }) => digest === evidence);
      const report = ref && (JSON.parse((await readWhole(this.blobs, ref, REPORT_MAX_BYTES)).toString('utf8')) as ScanReport);
      if (ref && report?.scanner === scanner) clean = judgeReport(report, ref.digest, list) && clean;
    }
    return { clean, reports: [] };
  }
}
