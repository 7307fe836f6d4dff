import { SCAN_FINDINGS_MAX, type ScanFinding, type ScanReport } from '@packs/domain';
import { BundleScanner, type Scan, type ScannedFile } from '../scanner';
import type { TextWindow } from './find-secrets';
import type { SecretPool } from './secret-pool';
import type { FoundSecrets } from './secret-worker';
import { TextFile, WINDOW_BYTES } from './text-file';

/** Questions of one bundle that are asked at a time. */
const WIDTH = 2;

/** Looks for secrets in every text file. */
export class SecretScanner extends BundleScanner {
  readonly scanner = 'secrets';

  constructor(private readonly pool: SecretPool) {
    super();
  }

  async begin(): Promise<Scan> {
    return new SecretScan(this.pool);
  }

  override close(): Promise<void> {
    return this.pool.close();
  }
}

class SecretScan implements Scan {
  private batch: TextWindow[] = [];
  private batchSize = 0;
  private readonly asked: Promise<FoundSecrets>[] = [];
  private readonly found: ScanFinding[] = [];
  private readonly known = new Set<string>();

  constructor(private readonly pool: SecretPool) {}

  open(path: string): ScannedFile {
    return new TextFile(path, window => this.add(window));
  }

  async finish(): Promise<ScanReport> {
    const last = this.ask();
    for (const answer of this.asked.splice(0)) await this.take(answer);
    const { engine } = await last;
    const findings = this.found.slice(0, SCAN_FINDINGS_MAX);
    const isCut = this.found.length > findings.length;
    return { schema: 'stellaops.io/scan-report.v1', scanner: 'secrets', engine, findings, ...(isCut && { isCut: true as const }) };
  }

  close(): void {
    this.batch = [];
  }

  private async add(window: TextWindow): Promise<void> {
    this.batch.push(window);
    this.batchSize += window.bytes.length;
    if (this.batchSize < WINDOW_BYTES) return;
    void this.ask();
    const first = this.asked.length > WIDTH ? this.asked.shift() : undefined;
    if (first) await this.take(first);
  }

  private ask(): Promise<FoundSecrets> {
    const answer = this.pool.find(this.batch);
    // It is waited for in its turn.
    answer.catch(() => {});
    this.asked.push(answer);
    this.batch = [];
    this.batchSize = 0;
    return answer;
  }

  /** Windows overlap: what lies in two of them is found twice. */
  private async take(answer: Promise<FoundSecrets>): Promise<void> {
    for (const finding of (await answer).found) {
      const { path, line, rule } = finding;
      const name = JSON.stringify([path, line, rule]);
      if (this.known.has(name) || this.found.length > SCAN_FINDINGS_MAX) continue;
      this.known.add(name);
      this.found.push(finding);
    }
  }
}
