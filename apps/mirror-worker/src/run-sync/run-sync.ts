import type { MirroredVersion, MirrorRecord, MirrorState, SkippedVersion } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import { mirroredBytes, mirroredVersions } from '@packs/observability';
import type {
  BlobStore,
  HeldJob,
  InventoryHead,
  InventoryVersion,
  MirrorObject,
  MirrorQueue,
  MirrorTarget,
  MirrorTargets,
  PackInventory,
  StagedState,
  SyncOutcome,
} from '@packs/ports';
import type { Admission } from '../admission/admission';
import { allSettled, Limit } from './limit';
import { blobsOf, toMirroredVersion } from './mirrored-version';
import { SyncTally } from './sync-tally';

/** Versions whose copies are made durable and recorded together. */
const BATCH = 16;
/** Blobs copied at a time: enough to keep a disk busy, too few to be felt by a publish. */
const COPIES = 4;

type Stored = ReturnType<typeof blobsOf>;

/** A version, and the manifests of those of its attestations that are not handed on. */
interface AdmittedVersion {
  readonly version: InventoryVersion;
  readonly withdrawn: readonly Digest[];
}

/** A finished copy of everything selected, and the state that will show it. */
export interface PreparedSync {
  readonly staged: StagedState;
  readonly outcome: SyncOutcome;
  /** Removes what the state, once it is shown, has no more use for. */
  tidy(signal: AbortSignal): Promise<void>;
}

/** Brings a mirror's bytes up to date, version by version, and stages the state that names them. Shows nothing. */
export class RunSync {
  constructor(
    private readonly inventory: PackInventory,
    private readonly blobs: BlobStore,
    private readonly targets: MirrorTargets,
    private readonly queue: MirrorQueue,
    private readonly admission: Admission,
  ) {}

  async execute(job: HeldJob, mirror: MirrorRecord, signal: AbortSignal): Promise<PreparedSync> {
    const { tenant, selection } = mirror;
    const target = await this.targets.open(mirror);
    await target.prepare();
    const before = await shownBefore(target);
    // Heads first: versions never go, so every head is among the versions read after it.
    const heads = await this.inventory.heads(tenant, selection);
    const tally = new SyncTally(await this.inventory.size(tenant, selection));
    const state: MirrorState = { schema: 'stellaops.io/mirror-state.v1', tenant, versions: [], channels: [], withdrawn: [] };
    for await (const batch of batches(this.inventory.versions(tenant, selection), BATCH)) {
      signal.throwIfAborted();
      const admitted = await this.admit(batch, state, tally);
      state.versions.push(...(await this.copyBatch(job, target, admitted, tally, signal)));
    }
    state.channels.push(...shown(heads, state.versions));
    const staged = await target.stage(state, signal);
    const counts = tally.final();
    // Otherwise nothing can have left the state since the last sync.
    const withheld = counts.skipped > 0 || state.versions.some(({ withdrawn }) => withdrawn);
    const mayHaveLost = job.verify || withheld || (mirror.syncedAt ?? '') < mirror.updatedAt || losesReferrers(before, state);
    return {
      staged,
      outcome: { stateDigest: staged.digest, counts, skipped: tally.skipped },
      tidy: during => (mayHaveLost ? this.tidy(job, target, { state, before }, during) : Promise.resolve()),
    };
  }

  private async tidy(
    job: HeldJob,
    target: MirrorTarget,
    { state, before }: { readonly state: MirrorState; readonly before: MirrorState | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const removed = await target.prune(state, signal, before);
    if (removed.length > 0) await this.queue.forget(job, removed);
  }

  private async admit(batch: readonly InventoryVersion[], state: MirrorState, tally: SyncTally): Promise<AdmittedVersion[]> {
    const admitted: AdmittedVersion[] = [];
    for (const version of batch) {
      const { trust } = version.verification;
      if (await this.admission.admits(version, trust)) {
        const verdicts = await Promise.all(version.referrers.map(referrer => this.admission.admitsReferrer(version, referrer, trust)));
        admitted.push({ version, withdrawn: version.referrers.filter((_, at) => !verdicts[at]).map(({ manifest }) => manifest.digest) });
        continue;
      }
      state.withdrawn.push({ packId: version.packId, version: version.version, manifestDigest: version.manifest.digest });
      tally.skip(skipOf(version, 'ERR_PACK_WITHDRAWN'));
    }
    return admitted;
  }

  private async copyBatch(
    job: HeldJob,
    target: MirrorTarget,
    versions: readonly AdmittedVersion[],
    tally: SyncTally,
    signal: AbortSignal,
  ): Promise<MirroredVersion[]> {
    const wanted = versions.map(({ version, withdrawn }) => ({
      version,
      mirrored: toMirroredVersion(version, withdrawn),
      stored: blobsOf(version),
    }));
    const recorded = await this.queue.copiesOf(
      job,
      wanted.flatMap(({ mirrored }) => target.objectsOf(mirrored).map(object => object.path)),
    );
    const limit = new Limit(COPIES);
    const proven: MirrorObject[] = [];
    const copy = (stored: Stored, object: MirrorObject) =>
      limit.run(async () => {
        signal.throwIfAborted();
        const wasRecorded = recorded.get(object.path) === object.digest;
        const copied = await this.bring(target, stored, object, { verify: job.verify, wasRecorded, signal }, tally);
        if (copied || !wasRecorded) proven.push(object);
        return copied;
      });
    const copied = await allSettled(
      wanted.map(async ({ version, mirrored, stored }) => {
        const results: boolean[] = [];
        try {
          for (const wave of wavesOf(target.objectsOf(mirrored)))
            results.push(...(await allSettled(wave.map(object => copy(stored, object)))));
        } catch (error) {
          if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_CORRUPT') throw error;
          tally.skip(skipOf(version, error.code));
          return [];
        }
        if (results.includes(true)) mirroredVersions.inc();
        tally.versionDone();
        return [mirrored];
      }),
    );
    await target.flush();
    await this.queue.progress(job, unique(proven), tally.counts());
    return copied.flat();
  }

  /** Makes sure that a blob lies where it should. Returns whether it was written. */
  private async bring(
    target: MirrorTarget,
    stored: Stored,
    object: MirrorObject,
    { verify, wasRecorded, signal }: { verify: boolean; wasRecorded: boolean; signal: AbortSignal },
    tally: SyncTally,
  ): Promise<boolean> {
    const likeness = await target.look(object, signal);
    const trusted = likeness === 'alike' && wasRecorded && !verify;
    if (trusted || (likeness === 'alike' && (await target.hash(object.path, signal)) === object.digest)) {
      tally.present(object.size);
      return false;
    }
    const blob = stored.get(object.digest);
    if (!blob) throw new Error(`the registry does not know ${object.digest}, which a version of it names`);
    await target.write(object, this.blobs.read(blob), signal);
    mirroredBytes.inc(object.size);
    tally.copied(object.size, { repaired: wasRecorded || likeness !== 'absent' });
    return true;
  }
}

/** A state that cannot be read is replaced by the one to come. */
async function shownBefore(target: MirrorTarget): Promise<MirrorState | undefined> {
  try {
    return await target.state();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'ERR_MIRROR_CORRUPT') return undefined;
    throw error;
  }
}

/** Clients may take away what they have attached. */
function losesReferrers(before: MirrorState | undefined, state: MirrorState): boolean {
  const now = new Set(state.versions.flatMap(({ referrers }) => referrers.map(({ manifest }) => manifest.digest)));
  return before?.versions.some(({ referrers }) => referrers.some(({ manifest }) => !now.has(manifest.digest))) ?? false;
}

function skipOf({ packId, version }: InventoryVersion, code: string): SkippedVersion {
  return { packId, version, code };
}

function wavesOf(objects: readonly MirrorObject[]): MirrorObject[][] {
  const waves = Map.groupBy(objects, ({ wave }) => wave);
  return [...waves.keys()].toSorted((a, b) => a - b).map(wave => waves.get(wave) ?? []);
}

/** Heads of versions that the mirror has. */
function shown(heads: readonly InventoryHead[], versions: readonly MirroredVersion[]): InventoryHead[] {
  const there = new Set(versions.map(({ packId, version }) => `${packId}@${version}`));
  return heads.filter(({ packId, version }) => there.has(`${packId}@${version}`));
}

function unique(objects: readonly MirrorObject[]): MirrorObject[] {
  return [...new Map(objects.map(object => [object.path, object])).values()];
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
