import type { MirroredVersion, MirrorRecord, MirrorState } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type {
  HeldComparison,
  InventoryVersion,
  MirrorTarget,
  MirrorTargets,
  PackInventory,
  ParityFinding,
  ParityQueue,
} from '@packs/ports';
import { compareFiles, proofOf } from './compare-files';
import { compareVersion, keyOf, ShownVersions } from './compare-version';

/** Versions whose findings are kept together. */
const BATCH = 50;
/** Paths looked up together. */
const PATHS = 500;
/** Files beside the mirror's that are named; one is enough to be out of step. */
const STRAYS_NAMED = 1_000;

interface Run {
  readonly held: HeldComparison;
  readonly mirror: MirrorRecord;
  readonly target: MirrorTarget;
  readonly shown: ShownVersions;
  /** Its index cannot be read. */
  readonly unreadable: boolean;
  readonly signal: AbortSignal;
  versions: number;
  totalVersions: number;
  hashedBytes: number;
}

/** Compares a mirror with the registry, both ways, and keeps what it finds where nobody is shown it yet. Writes nothing at the mirror. */
export class CompareMirror {
  constructor(
    private readonly inventory: PackInventory,
    private readonly targets: MirrorTargets,
    private readonly queue: ParityQueue,
  ) {}

  async execute(held: HeldComparison, mirror: MirrorRecord, signal: AbortSignal): Promise<void> {
    const target = await this.targets.open(mirror);
    const { state, unreadable } = await stateOf(target);
    const { versions } = await this.inventory.size(mirror.tenant, mirror.selection);
    const run: Run = {
      held,
      mirror,
      target,
      shown: new ShownVersions(state),
      unreadable,
      signal,
      versions: 0,
      totalVersions: versions,
      hashedBytes: 0,
    };
    for await (const batch of batches(this.inventory.versions(mirror.tenant, mirror.selection), BATCH)) {
      signal.throwIfAborted();
      await this.compareBatch(run, batch);
    }
    for await (const extra of batches(run.shown.rest(), BATCH)) await this.record(run, extra.map(extraVersion));
    if (held.depth !== 'index') await this.findStrays(run, state);
  }

  private async compareBatch(run: Run, batch: readonly InventoryVersion[]): Promise<void> {
    const before = await this.queue.before(run.held, batch);
    const findings: ParityFinding[] = [];
    for (const version of batch) findings.push(await this.compareOne(run, version, before.get(keyOf(version))));
    run.versions += batch.length;
    await this.record(run, findings);
  }

  private async compareOne(run: Run, ours: InventoryVersion, before: ParityFinding | undefined): Promise<ParityFinding> {
    const version = { packId: ours.packId, version: ours.version };
    if (run.unreadable) return { version, path: null, state: 'different-digest', byBytes: true, proof: null };
    const theirs = run.shown.take(ours);
    const state = compareVersion(ours, theirs, run.shown);
    const finding = { version, path: null, state, byBytes: false, proof: null };
    if (!theirs || state === 'different-digest' || state === 'missing') return finding;
    return this.compareBytes(run, theirs, finding, before);
  }

  private async compareBytes(
    run: Run,
    theirs: MirroredVersion,
    finding: ParityFinding,
    before: ParityFinding | undefined,
  ): Promise<ParityFinding> {
    const proof = proofOf(run.mirror, run.target.objectsOf(theirs));
    const proven = before?.proof === proof;
    if (run.held.depth === 'index') {
      // Altered bytes are not mended by what an index says.
      return before?.byBytes && before.state !== 'in-step' ? before : { ...finding, proof: proven ? proof : null };
    }
    const hash = run.held.depth === 'bytes' || !proven;
    const { difference, hashedBytes } = await compareFiles(run.target, theirs, {
      channels: run.shown.channelsOf(theirs),
      hash,
      signal: run.signal,
    });
    run.hashedBytes += hashedBytes;
    return difference ? { ...finding, ...difference, byBytes: true } : { ...finding, byBytes: finding.state === 'in-step', proof };
  }

  /** Files that no version shown has and that no sync has written: somebody else put them there. */
  private async findStrays(run: Run, state: MirrorState | undefined): Promise<void> {
    let named: ReadonlySet<string> | undefined;
    let strays = 0;
    for await (const paths of batches(run.target.files(), PATHS)) {
      run.signal.throwIfAborted();
      const unrecorded = await this.queue.unrecorded(run.held, paths);
      if (unrecorded.length === 0) continue;
      named ??= new Set((state?.versions ?? []).flatMap(version => pathsOf(run, version)));
      const shown = named;
      const found = unrecorded.filter(path => !shown.has(path)).slice(0, STRAYS_NAMED - strays);
      strays += found.length;
      await this.record(run, found.map(strayFile));
      if (strays === STRAYS_NAMED) return;
    }
  }

  private record({ held, versions, totalVersions, hashedBytes }: Run, findings: readonly ParityFinding[]): Promise<void> {
    return this.queue.record(held, findings, { versions, totalVersions: Math.max(totalVersions, versions), hashedBytes });
  }
}

function pathsOf({ target, shown }: Run, version: MirroredVersion): string[] {
  return [...target.objectsOf(version), ...target.pointersOf(version, shown.channelsOf(version))].map(({ path }) => path);
}

/** A damaged index is a finding, not a failure: whoever reads the mirror gets nothing from it. */
async function stateOf(target: MirrorTarget): Promise<{ state: MirrorState | undefined; unreadable: boolean }> {
  try {
    return { state: await target.state(), unreadable: false };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'ERR_MIRROR_CORRUPT') throw error;
    return { state: undefined, unreadable: true };
  }
}

function extraVersion({ packId, version }: MirroredVersion): ParityFinding {
  return { version: { packId, version }, path: null, state: 'extra', byBytes: false, proof: null };
}

function strayFile(path: string): ParityFinding {
  return { version: null, path, state: 'extra', byBytes: true, proof: null };
}

async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
