import type { MirroredVersion, MirrorState } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import type { MirrorObject, MirrorPlace, MirrorTarget, MirrorTargets } from '@packs/ports';
import { aMirroredVersion, type TestVersion } from './a-mirrored-version';

/** What holds a mirror, and what somebody may do to it behind its back. */
export interface MirrorHolder {
  readonly targets: MirrorTargets;
  /** Tenant acme's mirror, unless told otherwise. */
  place(tenant?: string, name?: string): MirrorPlace;
  /** Gives it other bytes, as many as it has. */
  alter(object: MirrorObject): Promise<void>;
  shorten(object: MirrorObject): Promise<void>;
  remove(object: MirrorObject): Promise<void>;
  damageState(): Promise<void>;
  /** Puts something there that no state names and that is not the mirror's own; returns where. */
  strew(): Promise<string>;
  /** Everything there is but what the mirror keeps for itself. */
  names(): Promise<string[]>;
  /** Whether something there can be listed. */
  lists(object: MirrorObject): boolean;
  end(): Promise<void>;
}

async function* inPieces(bytes: Buffer, size = 7): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function aState(versions: readonly MirroredVersion[], changes: Partial<MirrorState> = {}): MirrorState {
  return { schema: 'stellaops.io/mirror-state.v1', tenant: 'acme', versions: [...versions], channels: [], withdrawn: [], ...changes };
}

export async function copy(target: MirrorTarget, { mirrored, content }: TestVersion): Promise<void> {
  for (const object of target.objectsOf(mirrored)) await target.write(object, inPieces(content.get(object.digest) ?? Buffer.alloc(0)));
  await target.flush();
}

async function show(target: MirrorTarget, state: MirrorState): Promise<void> {
  await (await target.stage(state)).commit();
}

export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof DomainError ? error.code : error;
  }
}

/** One mirror of a spec. */
export class Bench<Holder extends MirrorHolder = MirrorHolder> {
  private constructor(
    readonly holder: Holder,
    readonly target: MirrorTarget,
  ) {}

  static async open<Holder extends MirrorHolder>(holder: Holder): Promise<Bench<Holder>> {
    const target = await holder.targets.open(holder.place());
    await target.prepare();
    return new Bench(holder, target);
  }

  bundleOf({ mirrored }: TestVersion): MirrorObject {
    const found = this.target.objectsOf(mirrored).find(object => object.digest === mirrored.bundle.digest);
    if (!found) throw new Error('a version without a bundle');
    return found;
  }
}

/** What every kind of mirror has to hold to, and what one kind has to beside that. */
export function describeMirrorTarget<Holder extends MirrorHolder>(
  name: string,
  make: () => Promise<Holder>,
  more: (current: () => Bench<Holder>) => void = () => undefined,
): void {
  describe(`MirrorTarget ${name}`, () => {
    let bench: Bench<Holder>;
    beforeEach(async () => {
      bench = await Bench.open(await make());
    });
    afterEach(() => bench.holder.end());

    describeShowing(() => bench);
    describeWriting(() => bench);
    describeReading(() => bench);
    describePruning(() => bench);
    more(() => bench);
  });
}

function describeShowing(current: () => Bench): void {
  it('shows nothing before its first state, however many bytes there are', async () => {
    const bench = current();
    await copy(bench.target, aMirroredVersion());
    expect(await bench.target.state()).toBeUndefined();
  });

  it('shows the state that was committed last, and not the one that is staged', async () => {
    const bench = current();
    const first = aMirroredVersion();
    const second = aMirroredVersion({ version: '1.1.0' });
    for (const version of [first, second]) await copy(bench.target, version);
    await show(bench.target, aState([first.mirrored]));
    const later = await bench.target.stage(
      aState([first.mirrored, second.mirrored], { channels: [{ packId: 'hello', channel: 'edge', version: '1.1.0' }] }),
    );
    expect(await bench.target.state()).toEqual(aState([first.mirrored]));
    await later.commit();
    const reader = await bench.holder.targets.open(bench.holder.place());
    expect((await reader.state())?.versions.map(({ version }) => version)).toEqual(['1.0.0', '1.1.0']);
    expect((await reader.state())?.channels).toEqual([{ packId: 'hello', channel: 'edge', version: '1.1.0' }]);
  });

  it('has one digest for one state, in whatever order its members were made', async () => {
    const bench = current();
    const { mirrored, content } = aMirroredVersion();
    await copy(bench.target, { mirrored, content });
    const turned = Object.fromEntries(Object.entries(mirrored).toReversed()) as MirroredVersion;
    const digests = [(await bench.target.stage(aState([mirrored]))).digest, (await bench.target.stage(aState([turned]))).digest];
    expect(digests[0]).toBe(digests[1]);
  });

  it.each([
    ['is missing', 'remove'],
    ['has another size', 'shorten'],
  ] as const)('shows no state with a blob that %s', async (_, damage) => {
    const bench = current();
    const [first, second] = [aMirroredVersion(), aMirroredVersion({ version: '2.0.0' })];
    for (const version of [first, second]) await copy(bench.target, version);
    await show(bench.target, aState([first.mirrored]));
    await bench.holder[damage](bench.bundleOf(second));
    expect(await codeOf(bench.target.stage(aState([first.mirrored, second.mirrored])))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    expect(await bench.target.state()).toEqual(aState([first.mirrored]));
  });

  it("keeps tenants' folders apart", async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    const other = await bench.holder.targets.open(bench.holder.place('globex'));
    expect(await other.state()).toBeUndefined();
    expect(await other.look(bench.bundleOf(version))).toBe('absent');
  });

  it('says so when its state is damaged', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    await bench.holder.damageState();
    expect(await codeOf(bench.target.state())).toBe('ERR_MIRROR_CORRUPT');
  });
}

function describeWriting(current: () => Bench): void {
  it('gives every blob back as it was, each at a place of its own', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    const objects = bench.target.objectsOf(version.mirrored);
    expect(new Set(objects.map(({ path }) => path)).size).toBe(objects.length);
    expect(new Set(objects.map(({ digest }) => digest))).toEqual(new Set(version.content.keys()));
    for (const object of objects) {
      const { path, digest } = object;
      const parts: Uint8Array[] = [];
      for await (const part of bench.target.read(path)) parts.push(part);
      expect(sha256(Buffer.concat(parts))).toBe(digest);
      expect(await bench.target.look(object)).toBe('alike');
      expect(await bench.target.hash(path)).toBe(digest);
    }
  });

  it.each([
    ['other bytes', (bytes: Buffer) => Buffer.alloc(bytes.length, 'x')],
    ['fewer bytes', (bytes: Buffer) => bytes.subarray(1)],
    ['more bytes', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
  ])('refuses a source with %s, and what lay there stays', async (_, damage) => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    const object = bench.bundleOf(version);
    const bytes = version.content.get(object.digest) ?? Buffer.alloc(0);
    expect(await codeOf(bench.target.write(object, inPieces(damage(bytes))))).toBe('ERR_PACK_CORRUPT');
    expect(await bench.target.hash(object.path)).toBe(object.digest);
  });

  it('leaves nothing of a write that was broken off', async () => {
    const bench = current();
    const version = aMirroredVersion();
    const before = await bench.holder.names();
    const controller = new AbortController();
    const source = async function* () {
      yield Buffer.from('b');
      controller.abort(new Error('enough'));
      yield Buffer.from('u');
    };
    await expect(bench.target.write(bench.bundleOf(version), source(), controller.signal)).rejects.toThrow('enough');
    expect(await bench.holder.names()).toEqual(before);
  });
}

/** Of a version, what can be listed there. */
function listedOf({ target, holder }: Bench, { mirrored }: TestVersion): string[] {
  return target
    .objectsOf(mirrored)
    .filter(object => holder.lists(object))
    .map(({ path }) => path);
}

function describeReading(current: () => Bench): void {
  it('tells altered bytes by their hash, and writes the right ones in their place', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    const object = bench.bundleOf(version);
    await bench.holder.alter(object);
    expect(await bench.target.hash(object.path)).not.toBe(object.digest);
    await copy(bench.target, version);
    expect(await bench.target.hash(object.path)).toBe(object.digest);
  });

  it('lists the files of its versions and whatever else was put there, but none of its own', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    const strewn = await bench.holder.strew();
    const listed: string[] = [];
    for await (const path of bench.target.files()) listed.push(path);
    expect(listed.toSorted()).toEqual([...listedOf(bench, version), strewn].toSorted());
  });

  it('lists nothing of a mirror that is not there', async () => {
    const bench = current();
    const nowhere = await bench.holder.targets.open(bench.holder.place('acme', 'nowhere'));
    for await (const path of nowhere.files()) throw new Error(`there is ${path}`);
  });

  it('knows no hash of what is not there', async () => {
    const bench = current();
    const object = bench.bundleOf(aMirroredVersion());
    const { path } = object;
    expect([await bench.target.look(object), await bench.target.hash(path)]).toEqual(['absent', undefined]);
    expect(await codeOf(bench.target.read(path)[Symbol.asyncIterator]().next())).toBe('ERR_MIRROR_CORRUPT');
  });
}

/** What is taken away. */
function describePruning(current: () => Bench): void {
  it('is rid of blobs that its state does not name, and of nothing that somebody else put there', async () => {
    const bench = current();
    const { target } = bench;
    const [kept, gone] = [aMirroredVersion(), aMirroredVersion({ packId: 'gone' })];
    for (const version of [kept, gone]) await copy(target, version);
    const strewn = await bench.holder.strew();
    const state = aState([kept.mirrored]);
    await show(target, state);
    const paths = ({ mirrored }: TestVersion) => target.objectsOf(mirrored).map(({ path }) => path);
    expect((await target.prune(state)).toSorted()).toEqual(paths(gone).toSorted());
    const left: string[] = [];
    for await (const path of target.files()) left.push(path);
    expect(left.toSorted()).toEqual([...listedOf(bench, kept), strewn].toSorted());
    expect(await target.state()).toEqual(state);
    expect(await target.prune(state)).toEqual([]);
  });

  it('takes away what was attached to a version that stays, once no state shows it', async () => {
    const { target } = current();
    const { mirrored, content } = aMirroredVersion();
    const [attached, ...kept] = mirrored.referrers;
    if (!attached) throw new Error('nothing is attached');
    const shown = { ...mirrored, referrers: [{ ...attached, kind: 'referrer' as const }, ...kept] };
    const without = { ...mirrored, referrers: kept };
    await copy(target, { mirrored: shown, content });
    const before = aState([shown]);
    await show(target, before);
    expect(await target.state()).toEqual(before);
    const state = aState([without]);
    await show(target, state);
    const left = new Set(target.objectsOf(without).map(({ path }) => path));
    const gone = target.objectsOf(shown).filter(({ path }) => !left.has(path));
    expect((await target.prune(state, undefined, before)).toSorted()).toEqual(gone.map(({ path }) => path).toSorted());
    for (const object of target.objectsOf(shown))
      expect([object.path, await target.look(object)]).toEqual([object.path, left.has(object.path) ? 'alike' : 'absent']);
  });
}
