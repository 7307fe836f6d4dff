import { ImportKit, KIT_PLAN_MAX_BYTES, type ImportReport, type KitManifest, type KitPlan } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import { kitBlobs, PROVING_SINK, readKit } from '@packs/pack-format';
import { readWhole, type BlobStore, type CommandBus, type HeldImport, type KitQueue, type KitRecords } from '@packs/ports';
import { MAX_SIGNATURE_BYTES, verifyKitSignature, type KitExporter } from '@packs/sigstore';
import type { KitRun } from '../work-kits/kit-run';
import { examineKit } from './examine-kit';
import { KitStaging } from './kit-staging';
import type { TrustedExporters } from './trusted-exporters';

/** How long the publisher is waited for. */
const ANSWER_MS = 10_000;
const ANSWER_MS_PER_VERSION = 50;
const ANSWER_BYTES_PER_MS = 20_000;

/**
 * Examines an uploaded kit from its signature to its last byte, with its blobs staged where nobody sees them, and hands what was found good to
 * the publisher, who makes all of it visible at once.
 */
export class StageKit {
  constructor(
    private readonly queue: KitQueue,
    private readonly blobs: BlobStore,
    private readonly records: KitRecords,
    private readonly exporters: TrustedExporters,
    private readonly commands: CommandBus,
  ) {}

  /** @throws DomainError ERR_KIT_…, each damage its own; what the publisher refuses */
  async execute(job: HeldImport, run: KitRun): Promise<void> {
    const { preflight } = job.request;
    run.begin(job.request.kit.size);
    const staging = preflight ? undefined : new KitStaging(this.queue, this.blobs, job, await this.queue.staged(job));
    const { manifest, exporter } = await this.read(job, run, staging);
    const report = await examineKit(this.records, job.tenant, { manifest, kit: job.request.kit.digest, exporter });
    await this.queue.report(job, report);
    const known = report.versions.known;
    if (!staging) return this.queue.settle(job, tx => tx.imported({ outcome: 'preflight', added: 0, known }));
    if (report.outcome === 'unchanged') return this.queue.settle(job, tx => tx.imported({ outcome: 'unchanged', added: 0, known }));
    refuseUnfit(report);
    const reply = await this.import(job, manifest, staging);
    await this.queue.settle(job, tx => tx.imported(reply));
  }

  /** The signature first: of a stranger's kit nothing is read. */
  private async read(
    job: HeldImport,
    run: KitRun,
    staging: KitStaging | undefined,
  ): Promise<{ manifest: KitManifest; exporter: KitExporter }> {
    const { kit, signature } = job.request;
    const keys = await this.exporters.of(job.tenant);
    const document = await readWhole(this.blobs, signature, MAX_SIGNATURE_BYTES);
    const { exporter, isAbout } = verifyKitSignature(document, kit.digest, keys);
    const source = { bytes: run.count(this.blobs.read(kit)), size: kit.size };
    if (!isAbout) {
      // Not what was signed. What became of it is worth knowing; nothing of it is kept.
      await readKit(source, { sink: PROVING_SINK });
      throw new DomainError('ERR_KIT_DIGEST', 'the kit is not the one that was signed', { details: { digest: kit.digest } });
    }
    const { manifest, manifestDigest } = await readKit(source, { sink: staging ?? PROVING_SINK });
    await staging?.flush();
    if (!verifyKitSignature(document, manifestDigest, keys).isAbout) {
      throw new DomainError('ERR_KIT_DIGEST', 'the manifest of the kit is not the one that was signed', {
        details: { digest: manifestDigest },
      });
    }
    if (manifest.source.tenant !== job.tenant) {
      throw new DomainError('ERR_KIT_TENANT', `the kit holds packs of ${manifest.source.tenant}, not of ${job.tenant}`, {
        details: { tenant: manifest.source.tenant },
      });
    }
    return { manifest, exporter };
  }

  private async import({ tenant, requestedBy, source, request }: HeldImport, manifest: KitManifest, staging: KitStaging) {
    const plan: KitPlan = { schema: 'stellaops.io/kit-plan.v1', manifest, blobs: staging.locate(kitBlobs(manifest)) };
    const bytes = Buffer.from(JSON.stringify(plan));
    if (bytes.length > KIT_PLAN_MAX_BYTES) throw new DomainError('ERR_KIT_LIMIT', 'the kit has too many versions to be imported at once');
    const { digest, size, objectKey } = await staging.add(bytes, sha256(bytes));
    const { kit, signature, acceptTrust } = request;
    // A publisher that dies does not say so. One that only takes longer answers the next request with what it has done.
    const timeoutMs = Math.min(
      ImportKit.timeoutMs,
      ANSWER_MS + manifest.versions.length * ANSWER_MS_PER_VERSION + Math.ceil(request.kit.size / ANSWER_BYTES_PER_MS),
    );
    const named = { plan: { digest, size, objectKey }, kit: { digest: kit.digest, size: kit.size }, signature, acceptTrust };
    return this.commands.send(ImportKit, { tenant, actor: requestedBy, source, ...named }, timeoutMs);
  }
}

function refuseUnfit({ outcome, generation, newestImported, conflicting, versions }: ImportReport): void {
  if (outcome === 'stale') {
    throw new DomainError(
      'ERR_KIT_STALE',
      `generation ${newestImported} of this source was imported; this kit is of generation ${generation}`,
      {
        details: { generation, newestImported },
      },
    );
  }
  if (outcome === 'conflict') {
    throw new DomainError('ERR_KIT_CONFLICT', `${versions.conflicting} versions of the kit exist here with other content`, {
      errors: conflicting.map(({ packId, version }) => ({ field: `${packId}@${version}`, message: 'exists with other content' })),
    });
  }
}
