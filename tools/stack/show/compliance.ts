import type { ComplianceSummary } from '@packs/contracts';
import { readSamples } from './sample-packs';
import type { Show } from './show';

/** How well the tenant's packs are covered, in one line. It is counted from events, which follow the publications within moments. */
export async function showCompliance({ admin, steps }: Show): Promise<void> {
  const samples = readSamples().length;
  await steps.run('compliance', async note => {
    const { packs, versions, signatures, attestations, scans } = await admin.until<ComplianceSummary, ComplianceSummary['totals']>(
      '/compliance/summary',
      'the coverage of all samples',
      ({ totals }) => (totals.versions < samples ? undefined : totals),
    );
    note(`${packs} packs, ${versions} versions: ${signatures.percent}% signed, ${attestations.percent}% attested`);
    note(`${scans.scanned} scanned by all, ${scans.partlyScanned} by some, ${scans.notScanned} by no scanner`);
  });
}
