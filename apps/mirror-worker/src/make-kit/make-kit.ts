import { setTimeout as delay } from 'node:timers/promises';
import { KitExported, newEvent } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import { kitBytes, kitSize } from '@packs/pack-format';
import type { AuditReadModel, BlobStore, Clock, HeldExport, KitQueue, KitRecords, StatementSigner } from '@packs/ports';
import type { KitRun } from '../work-kits/kit-run';
import type { CollectedKit, CollectKit } from './collect-kit';
import type { SealKit } from './seal-kit';

/** How long an export waits for the audit log to tell of what was committed before it began. */
const AUDIT_WAIT_MS = 10_000;
const AUDIT_POLL_MS = 100;

/** What a kit is made from, and who says so. */
export interface KitSources {
  readonly audit: AuditReadModel;
  readonly records: KitRecords;
  readonly blobs: BlobStore;
  readonly signer: StatementSigner;
}

/** Makes one kit: the same bytes for the same selection and generation, whoever makes it and how often it was begun. */
export class MakeKit {
  constructor(
    private readonly queue: KitQueue,
    private readonly sources: KitSources,
    private readonly collectKit: CollectKit,
    private readonly sealKit: SealKit,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_KIT_NO_KEY, ERR_PACK_UNAVAILABLE while the audit log lags behind, ERR_PACK_NOT_FOUND for a tenant without a log */
  async execute(job: HeldExport, run: KitRun): Promise<void> {
    const { signer, blobs } = this.sources;
    const exporter = signer.keyId();
    const generation = await this.generationOf(job, run);
    const collected = await this.collectKit.execute(job.tenant, job.request.selection, generation, run);
    const { manifest, withdrawn } = collected;
    const size = kitSize(manifest);
    run.begin(size);
    const bytes = kitBytes(manifest, ({ digest }) => bytesOf(blobs, collected, digest));
    const { kit, signature } = await this.sealKit.execute(manifest, run.count(bytes), size);
    const versions = manifest.versions.length;
    await this.queue.settle(job, async tx => {
      await tx.exported({ digest: kit.digest, size: kit.size, signature: signature.digest, versions, withdrawn });
      const data = {
        packId: null,
        version: null,
        actor: job.requestedBy,
        tenant: job.tenant,
        source: job.source,
        signatures: [signature.digest],
      };
      const state = {
        digest: kit.digest,
        generation,
        selection: manifest.selection,
        versions,
        size: kit.size,
        signature: signature.digest,
        exporter,
      };
      await tx.outbox.append(newEvent(KitExported, { ...data, metadataHash: kit.digest, ...state }, this.clock.now()));
    });
  }

  /** Settled once: whoever takes the job over makes the kit of the same generation. */
  private async generationOf(job: HeldExport, run: KitRun): Promise<number> {
    const settled = job.generation ?? job.request.seq;
    const generation = settled ?? (await this.headOf(job.tenant, run));
    if (job.generation === null) await this.queue.fixGeneration(job, generation);
    return generation;
  }

  private async headOf(tenant: string, run: KitRun): Promise<number> {
    const { audit, records } = this.sources;
    for (const until = performance.now() + AUDIT_WAIT_MS; !(await records.isAuditComplete(tenant)); await delay(AUDIT_POLL_MS)) {
      run.check();
      if (performance.now() < until) continue;
      throw new DomainError('ERR_PACK_UNAVAILABLE', 'the audit log lags behind; an export of a given seq need not wait for it', {
        retry: 'later',
      });
    }
    return audit.head(tenant);
  }
}

async function* bytesOf(blobs: BlobStore, { sources }: CollectedKit, digest: Digest): AsyncIterable<Uint8Array> {
  const source = sources.get(digest);
  if (!source) throw new DomainError('ERR_PACK_CORRUPT', `the blob ${digest} is not there`);
  if (Buffer.isBuffer(source)) yield source;
  else yield* blobs.read(source);
}
