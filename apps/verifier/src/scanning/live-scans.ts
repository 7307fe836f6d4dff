import { canonicalJson, DomainError, SCANNERS, sha256, type Digest, type Scanner, type ScanReport } from '@packs/domain';
import { walkFiles, type FileSink, type UnopenedFile } from '@packs/pack-format';
import type { BlobStore, StoredBlob } from '@packs/ports';
import { ScannerUnreachable, type BundleScanner, type Scan } from '@packs/scanning';
import { LRUCache } from 'lru-cache';
import type { CheckList } from '../evaluation/check-list';
import { BundleScans, type ScanFindings, type ScanQuestion } from './bundle-scans';
import { judgeReport } from './judge-report';

export interface ScanMeter {
  /** `result` is `ok`, a reason of a check, or `unavailable`. */
  observe(scanner: Scanner, result: string, seconds: number): void;
}

/** Reports that are known to be stored: those of clean bundles are all one. */
const KEPT_REPORTS = 256;

/** Gives every file of a bundle, and of the archives in it, to every scanner at once: the bundle is read and inflated one more time, whatever their number. */
export class LiveScans extends BundleScans {
  private readonly stored = new LRUCache<Digest, Promise<StoredBlob>>({ max: KEPT_REPORTS });

  constructor(
    private readonly blobs: BlobStore,
    private readonly scanners: readonly BundleScanner[],
    private readonly meter: ScanMeter,
    /** What the scan of so many bytes may take, in milliseconds. */
    private readonly deadlineMs: (bytes: number) => number,
  ) {
    super();
  }

  async scan(question: ScanQuestion, list: CheckList): Promise<ScanFindings> {
    const begun = performance.now();
    const late = AbortSignal.timeout(Math.ceil(this.deadlineMs(question.bundle.size)));
    const signal = AbortSignal.any([question.signal, late]);
    const scans = new Map<Scanner, Scan>();
    try {
      for (const scanner of SCANNERS) await this.begin(scanner, question, { scans, signal, list });
      const reports = await untilAborted(signal, runAll(question, scans, signal));
      const seconds = (performance.now() - begun) / 1000;
      const kept: StoredBlob[] = [];
      let clean = true;
      for (const report of reports) {
        const blob = await this.keep(report);
        clean = judgeReport(report, blob.digest, list) && clean;
        kept.push(blob);
        this.meter.observe(report.scanner, list.checks.at(-1)?.reason ?? 'ok', seconds);
      }
      return { clean, reports: kept };
    } catch (error) {
      const seconds = (performance.now() - begun) / 1000;
      for (const scanner of scans.keys()) this.meter.observe(scanner, 'unavailable', seconds);
      if (!late.aborted || question.signal.aborted) throw error;
      const code = scans.has('malware') ? 'ERR_PACK_SCAN_UNAVAILABLE' : 'ERR_PACK_UNAVAILABLE';
      throw new DomainError(code, 'the scan did not end in time', { retry: 'later', cause: error });
    } finally {
      for (const scan of scans.values()) scan.close();
    }
  }

  private async begin(
    name: Scanner,
    { settings }: ScanQuestion,
    { scans, signal, list }: { readonly scans: Map<Scanner, Scan>; readonly signal: AbortSignal; readonly list: CheckList },
  ): Promise<void> {
    const mode = settings[name];
    if (mode === 'off') return;
    const scanner = this.scanners.find(one => one.scanner === name);
    if (!scanner) {
      if (mode === 'required') throw unavailable(`the tenant requires a scan for ${name}, and this registry has no scanner for it`);
      return list.scan(name, 'skipped', 'scan-not-configured');
    }
    try {
      scans.set(name, await scanner.begin(signal));
    } catch (error) {
      if (!(error instanceof ScannerUnreachable)) throw error;
      this.meter.observe(name, 'unreachable', 0);
      if (mode === 'required') throw unavailable(`the scanner for ${name} cannot be reached`, error);
      list.scan(name, 'skipped', 'scan-unavailable');
    }
  }

  /** Written once, as long as it is remembered that it was: what is recorded already would lie there unused. */
  private keep(report: ScanReport): Promise<StoredBlob> {
    const bytes = Buffer.from(canonicalJson(report));
    const digest = sha256(bytes);
    const known = this.stored.get(digest);
    if (known) return known;
    const written = this.blobs.writeBytes(bytes, digest);
    this.stored.set(digest, written);
    written.catch(() => this.stored.delete(digest));
    return written;
  }
}

/** What every scan says; what ended the walk is the limit of each. */
async function runAll({ bundle, source }: ScanQuestion, scans: ReadonlyMap<Scanner, Scan>, signal: AbortSignal): Promise<ScanReport[]> {
  if (scans.size === 0) return [];
  const open = (path: string): FileSink => fanOut([...scans.values()].map(scan => scan.open(path)));
  let unopened: readonly UnopenedFile[] = [];
  let limit: ScanReport['limit'];
  try {
    unopened = await walkFiles(source.bytes(), { size: bundle.size, signal, open });
  } catch (error) {
    limit = limitOf(error);
  }
  const reports: ScanReport[] = [];
  for (const scan of scans.values()) {
    const report = await scan.finish();
    const found = limit ?? report.limit;
    reports.push({ ...report, ...(unopened.length > 0 && { unopened }), ...(found && { limit: found }) });
  }
  return reports;
}

function fanOut(sinks: readonly FileSink[]): FileSink {
  return {
    write: async piece => void (await Promise.all(sinks.map(async sink => sink.write(piece)))),
    end: async () => void (await Promise.all(sinks.map(async sink => sink.end()))),
  };
}

function limitOf(error: unknown): NonNullable<ScanReport['limit']> {
  if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_SCAN_LIMIT') throw error;
  return { name: String(error.details['limit']), path: String(error.details['path']) };
}

async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function unavailable(message: string, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_SCAN_UNAVAILABLE', message, { retry: 'later', cause });
}
