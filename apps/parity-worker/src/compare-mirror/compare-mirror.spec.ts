import { mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirroredVersion, MirrorKind, MirrorRecord, MirrorState, ParityDepth, ParityState } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { FileMirrorTargets } from '@packs/oci-layout';
import {
  PackInventory,
  ParityQueue,
  type HeldComparison,
  type InventoryVersion,
  type MirrorTarget,
  type ParityFinding,
} from '@packs/ports';
import { aMirroredVersion, type TestVersion } from '@packs/testing';
import { CompareMirror } from './compare-mirror';

const PLACE = { tenant: 'acme', kind: 'oci-layout' as MirrorKind, location: 'north' };
const MIRROR = { ...PLACE, id: 'mirror', name: 'north', selection: {}, seq: 1 } as MirrorRecord;

class Inventory extends PackInventory {
  constructor(private readonly held: readonly InventoryVersion[]) {
    super();
  }
  async *versions(): AsyncIterable<InventoryVersion> {
    yield* this.held;
  }
  heads = () => Promise.resolve([]);
  includes = () => Promise.resolve(true);
  size = () => Promise.resolve({ versions: this.held.length, bytes: 0 });
}

/** Remembers findings, and knows what an earlier comparison left and what syncs have recorded. */
class Findings extends ParityQueue {
  readonly found: ParityFinding[] = [];
  hashedBytes = 0;
  earlier: readonly ParityFinding[] = [];
  recorded: ReadonlySet<string> = new Set();

  claim = () => Promise.resolve(undefined);
  renew = () => Promise.resolve();
  before = () => Promise.resolve(new Map(this.earlier.map(one => [`${one.version?.packId}@${one.version?.version}`, one])));
  unrecorded = (_: HeldComparison, paths: readonly string[]) => Promise.resolve(paths.filter(path => !this.recorded.has(path)));
  record = (_: HeldComparison, findings: readonly ParityFinding[], progress: { hashedBytes: number }) => {
    this.found.push(...findings);
    this.hashedBytes = progress.hashedBytes;
    return Promise.resolve();
  };
  finish = () => Promise.resolve(true);
  fail = () => Promise.resolve();
  retryLater = () => Promise.resolve();
  enqueueDue = () => Promise.resolve(0);
  outOfStep = () => Promise.resolve(0);
}

function inOurStore({ mirrored }: TestVersion, changes: Partial<InventoryVersion> = {}): InventoryVersion {
  const stored = <T extends object>(descriptor: T) => ({ ...descriptor, objectKey: 'key', blockChecksums: '' });
  return {
    tenant: 'acme',
    packId: mirrored.packId,
    version: mirrored.version,
    type: mirrored.type,
    channels: [],
    lifecycle: mirrored.lifecycle,
    deprecation: mirrored.deprecation,
    digest: mirrored.bundle.digest,
    manifest: stored(mirrored.manifest),
    blobs: [stored(mirrored.config), stored(mirrored.bundle)],
    referrers: mirrored.referrers.map(({ manifest, blobs, kind }) => ({
      manifest: stored(manifest),
      blobs: blobs.map(stored),
      kind,
      verification:
        kind === 'attestation'
          ? { epoch: 1, policy: null, predicateType: 'https://slsa.dev/provenance/v1', addedAt: mirrored.publishedAt }
          : null,
    })),
    visibility: mirrored.visibility,
    publishedAt: mirrored.publishedAt,
    verification: {
      epoch: 1,
      channel: 'edge',
      policy: null,
      signatures: [],
      trust: { epoch: 1, digest: sha256('trust'), material: null },
    },
    ...changes,
  };
}

const aState = (versions: MirroredVersion[], changes: Partial<MirrorState> = {}): MirrorState => ({
  ...{ schema: 'stellaops.io/mirror-state.v1', tenant: 'acme', versions, channels: [], withdrawn: [] },
  ...changes,
});

let root: string;
let target: MirrorTarget;
let queue: Findings;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'parity-'));
  queue = new Findings();
  target = await new FileMirrorTargets(root).open(PLACE);
  await target.prepare();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const fileOf = (path: string): string => join(root, 'acme', 'north', path);
const pathOf = ({ mirrored }: TestVersion, digest: string): string =>
  target.objectsOf(mirrored).find(one => one.digest === digest)?.path ?? '';

async function mirror(versions: readonly TestVersion[], changes: Partial<MirrorState> = {}): Promise<void> {
  for (const { mirrored, content } of versions) {
    for (const object of target.objectsOf(mirrored)) {
      await target.write(
        object,
        (async function* () {
          yield content.get(object.digest) ?? Buffer.alloc(0);
        })(),
      );
    }
  }
  queue.recorded = new Set(versions.flatMap(({ mirrored }) => target.objectsOf(mirrored).map(({ path }) => path)));
  const staged = await target.stage(
    aState(
      versions.map(({ mirrored }) => mirrored),
      changes,
    ),
  );
  await staged.commit();
}

async function compare(ours: readonly InventoryVersion[], depth: ParityDepth = 'bytes'): Promise<ParityFinding[]> {
  const held: HeldComparison = {
    ...{ id: 'comparison', tenant: 'acme', mirrorId: 'mirror', owner: 'me', depth, attempt: 1, requestedBy: 'user:alice', source: null },
  };
  queue.found.length = 0;
  await new CompareMirror(new Inventory(ours), new FileMirrorTargets(root), queue).execute(held, MIRROR, new AbortController().signal);
  return [...queue.found];
}

const statesOf = (findings: readonly ParityFinding[]) => findings.map(({ version, state }) => `${version?.packId ?? 'a file'} ${state}`);

describe('a comparison of a mirror', () => {
  const one = aMirroredVersion();
  const other = aMirroredVersion({ packId: 'other' });

  it('finds what is there as it is here in step, by its bytes', async () => {
    await mirror([one, other]);
    expect(statesOf(await compare([inOurStore(one), inOurStore(other)]))).toEqual(['hello in-step', 'other in-step']);
    expect(queue.found.every(({ byBytes, proof }) => byBytes && proof !== null)).toBe(true);
    expect(queue.hashedBytes).toBe([...one.content.values(), ...other.content.values()].reduce((sum, { length }) => sum + length, 0));
  });

  it('finds both what the mirror lacks and what we lack', async () => {
    await mirror([other]);
    expect(statesOf(await compare([inOurStore(one)]))).toEqual(['hello missing', 'other extra']);
  });

  it('finds everything missing at a mirror that shows nothing', async () => {
    expect(statesOf(await compare([inOurStore(one)]))).toEqual(['hello missing']);
  });

  it('finds everything altered at a mirror whose index is damaged', async () => {
    await mirror([one]);
    await writeFile(fileOf('index.json'), '{"schemaVersion":');
    expect(statesOf(await compare([inOurStore(one)]))[0]).toBe('hello different-digest');
  });

  it.each<[string, Partial<InventoryVersion>, ParityState]>([
    ['another manifest', { manifest: inOurStore(other).manifest }, 'different-digest'],
    ['another bundle', { blobs: inOurStore(other).blobs }, 'different-digest'],
    ['a signature more', { referrers: [...inOurStore(one).referrers, ...inOurStore(other).referrers] }, 'missing-signature'],
    ['a signature less', { referrers: inOurStore(one).referrers.slice(1) }, 'stale-state'],
    [
      'been deprecated',
      { lifecycle: 'deprecated', deprecation: { at: '2026-01-18T08:00:00.000Z', by: 'bob', reason: null, replacement: null } },
      'stale-state',
    ],
    ['been shared', { visibility: ['globex'] }, 'stale-state'],
    ['become the head of a channel', { channels: ['stable'] }, 'stale-state'],
    ['changed in nothing', {}, 'in-step'],
  ])('finds a version that here has %s', async (_, changes, state) => {
    await mirror([one]);
    for (const depth of ['bytes', 'changes', 'index'] as const) {
      expect(statesOf(await compare([inOurStore(one, changes)], depth))).toEqual([`hello ${state}`]);
    }
  });

  it.each<[string, (version: TestVersion) => string, ParityState]>([
    ['the manifest', ({ mirrored }) => mirrored.manifest.digest, 'missing'],
    ['the bundle', ({ mirrored }) => mirrored.bundle.digest, 'missing'],
    ['a signature', ({ mirrored }) => mirrored.referrers[0]?.blobs[0]?.digest ?? '', 'missing-signature'],
    ["an attestation's manifest", ({ mirrored }) => mirrored.referrers[1]?.manifest.digest ?? '', 'missing-signature'],
  ])('finds that %s is not there, or has other bytes', async (_, digestIn, absent) => {
    await mirror([one]);
    const path = pathOf(one, digestIn(one));
    const size = target.objectsOf(one.mirrored).find(object => object.path === path)?.size ?? 0;
    for (const [damage, state] of [
      [Buffer.alloc(size, '!'), 'different-digest'],
      [Buffer.from('short'), 'different-digest'],
      [undefined, absent],
    ] as const) {
      await (damage ? writeFile(fileOf(path), damage) : rm(fileOf(path)));
      expect(await compare([inOurStore(one)])).toMatchObject([{ state, path, byBytes: true, proof: null }]);
    }
  });

  it('takes a withdrawn version for in step only while the current keys leave that open', async () => {
    const withdrawn = [{ packId: 'hello', version: '1.0.0', manifestDigest: one.mirrored.manifest.digest }];
    await mirror([], { withdrawn });
    const { verification } = inOurStore(one);
    expect(statesOf(await compare([inOurStore(one)]))).toEqual(['hello missing']);
    expect(statesOf(await compare([inOurStore(one, { verification: { ...verification, epoch: 0 } })]))).toEqual(['hello in-step']);
  });

  it('takes a withdrawn attestation for in step only while the current keys leave that open', async () => {
    const [signature, attestation] = one.mirrored.referrers;
    if (!signature || !attestation) throw new Error('no referrers');
    const withheld = { ...one.mirrored, referrers: [signature], withdrawn: [attestation.manifest.digest] };
    await mirror([{ ...one, mirrored: withheld }]);
    const ours = inOurStore(one);
    expect(statesOf(await compare([ours]))).toEqual(['hello missing-signature']);
    const since = { ...ours.verification, epoch: 2, trust: { ...ours.verification.trust, epoch: 2 } };
    expect(statesOf(await compare([{ ...ours, verification: since }]))).toEqual(['hello in-step']);
    await mirror([{ ...one, mirrored: { ...withheld, withdrawn: undefined } }]);
    expect(statesOf(await compare([{ ...ours, verification: since }]))).toEqual(['hello missing-signature']);
  });

  it('finds a file that no sync has written, and no other', async () => {
    await mirror([one]);
    await writeFile(fileOf('blobs/sha256/intruder'), 'extra');
    expect(await compare([inOurStore(one)])).toMatchObject([
      { state: 'in-step' },
      { version: null, state: 'extra', path: 'blobs/sha256/intruder' },
    ]);
    queue.recorded = new Set();
    expect(statesOf(await compare([inOurStore(one)]))).toEqual(['hello in-step', 'a file extra']);
  });

  it('hashes what is proven already only when every byte is asked for, but looks for it every time', async () => {
    await mirror([one]);
    queue.earlier = await compare([inOurStore(one)]);
    const path = pathOf(one, one.mirrored.bundle.digest);
    await writeFile(fileOf(path), Buffer.alloc(one.mirrored.bundle.size, '!'));
    expect(statesOf(await compare([inOurStore(one)], 'changes'))).toEqual(['hello in-step']);
    expect(queue.hashedBytes).toBe(0);
    expect(statesOf(await compare([inOurStore(one)]))).toEqual(['hello different-digest']);
    await rm(fileOf(path));
    expect(statesOf(await compare([inOurStore(one)], 'changes'))).toEqual(['hello missing']);
  });

  it('does not take altered bytes for mended because the index says so', async () => {
    await mirror([one]);
    await writeFile(fileOf(pathOf(one, one.mirrored.bundle.digest)), Buffer.alloc(one.mirrored.bundle.size, '!'));
    expect(statesOf(await compare([inOurStore(one)], 'index'))).toEqual(['hello in-step']);
    queue.earlier = await compare([inOurStore(one)]);
    expect(statesOf(await compare([inOurStore(one)], 'index'))).toEqual(['hello different-digest']);
    expect(statesOf(await compare([inOurStore(one)], 'changes'))).toEqual(['hello different-digest']);
  });

  it('ends when it is told to', async () => {
    await mirror([one]);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const held = { depth: 'bytes' } as HeldComparison;
    const comparing = new CompareMirror(new Inventory([inOurStore(one)]), new FileMirrorTargets(root), queue).execute(
      held,
      MIRROR,
      controller.signal,
    );
    await expect(comparing).rejects.toThrow('enough');
    expect(queue.found).toEqual([]);
  });
});
