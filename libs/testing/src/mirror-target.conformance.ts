import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MirroredVersion, MirrorKind, MirrorState } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import type { MirrorObject, MirrorPlace, MirrorTarget, MirrorTargets } from '@packs/ports';
import { aMirroredVersion, type TestVersion } from './a-mirrored-version';

async function* inPieces(bytes: Buffer, size = 7): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function aState(versions: readonly MirroredVersion[], changes: Partial<MirrorState> = {}): MirrorState {
  return { schema: 'stellaops.io/mirror-state.v1', tenant: 'acme', versions: [...versions], channels: [], withdrawn: [], ...changes };
}

async function copy(target: MirrorTarget, { mirrored, content }: TestVersion): Promise<void> {
  for (const object of target.objectsOf(mirrored)) await target.write(object, inPieces(content.get(object.digest) ?? Buffer.alloc(0)));
  await target.flush();
}

async function show(target: MirrorTarget, state: MirrorState): Promise<void> {
  await (await target.stage(state)).commit();
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof DomainError ? error.code : error;
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

/** One mirror of a spec, in a folder of its own. */
class Bench {
  readonly root = mkdtempSync(join(tmpdir(), 'mirrors-'));
  readonly place: MirrorPlace;
  readonly targets: MirrorTargets;
  private opened: MirrorTarget | undefined;

  constructor(kind: MirrorKind, make: (root: string) => MirrorTargets) {
    this.place = { tenant: 'acme', kind, location: 'sites/north' };
    this.targets = make(this.root);
  }

  async open(): Promise<this> {
    this.opened = await this.targets.open(this.place);
    await this.opened.prepare();
    return this;
  }

  get target(): MirrorTarget {
    if (!this.opened) throw new Error('not opened');
    return this.opened;
  }

  folder(...path: readonly string[]): string {
    return join(this.root, 'acme', 'sites', 'north', ...path);
  }

  /** Puts a file there that no state names. */
  async strew(path: string): Promise<void> {
    await mkdir(dirname(this.folder(path)), { recursive: true });
    await writeFile(this.folder(path), 'extra');
  }

  bundleOf({ mirrored }: TestVersion): MirrorObject {
    const found = this.target.objectsOf(mirrored).find(object => object.digest === mirrored.bundle.digest);
    if (!found) throw new Error('a version without a bundle');
    return found;
  }
}

/** What every kind of mirror in a folder has to hold to. */
export function describeMirrorTarget(kind: MirrorKind, make: (root: string) => MirrorTargets): void {
  describe(`MirrorTarget ${kind}`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await new Bench(kind, make).open();
    });
    afterEach(() => rmSync(bench.root, { recursive: true, force: true }));

    describeShowing(() => bench);
    describeWriting(() => bench);
    describeReading(() => bench);
    describePlace(() => bench);
    describeFaults(() => bench);
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
    const reader = await bench.targets.open(bench.place);
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
    ['is missing', (path: string) => rm(path)],
    ['has another size', (path: string) => writeFile(path, 'short')],
  ])('shows no state with a blob that %s', async (_, damage) => {
    const bench = current();
    const [first, second] = [aMirroredVersion(), aMirroredVersion({ version: '2.0.0' })];
    for (const version of [first, second]) await copy(bench.target, version);
    await show(bench.target, aState([first.mirrored]));
    await damage(bench.folder(bench.bundleOf(second).path));
    expect(await codeOf(bench.target.stage(aState([first.mirrored, second.mirrored])))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    expect(await bench.target.state()).toEqual(aState([first.mirrored]));
  });

  it("keeps tenants' folders apart", async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    const other = await bench.targets.open({ ...bench.place, tenant: 'globex' });
    expect(await other.state()).toBeUndefined();
    expect(await other.size(bench.bundleOf(version).path)).toBeUndefined();
  });

  it('says so when its state is damaged', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    for (const file of await filesBelow(bench.folder())) if (/(?:index|state)\.json$/.test(file)) await writeFile(file, '{"schema":');
    expect(await codeOf(bench.target.state())).toBe('ERR_MIRROR_CORRUPT');
  });
}

function describeWriting(current: () => Bench): void {
  it('gives every blob back as it was, each at a place of its own', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    const objects = bench.target.objectsOf(version.mirrored);
    expect(new Set(objects.map(({ path }) => path)).size).toBe(version.content.size);
    for (const { path, digest, size } of objects) {
      const parts: Uint8Array[] = [];
      for await (const part of bench.target.read(path)) parts.push(part);
      expect(sha256(Buffer.concat(parts))).toBe(digest);
      expect(await bench.target.size(path)).toBe(size);
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
    const before = await filesBelow(bench.folder());
    const controller = new AbortController();
    const source = async function* () {
      yield Buffer.from('b');
      controller.abort(new Error('enough'));
      yield Buffer.from('u');
    };
    await expect(bench.target.write(bench.bundleOf(version), source(), controller.signal)).rejects.toThrow('enough');
    expect(await filesBelow(bench.folder())).toEqual(before);
  });

  it('removes what a killed writer left half done', async () => {
    const bench = current();
    const before = await filesBelow(bench.folder());
    await writeFile(bench.folder('.work', 'half-a-bundle'), 'half');
    await (await bench.targets.open(bench.place)).prepare();
    expect(await filesBelow(bench.folder())).toEqual(before);
  });
}

function describeReading(current: () => Bench): void {
  it('tells altered bytes by their hash, and writes the right ones in their place', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    const object = bench.bundleOf(version);
    await writeFile(bench.folder(object.path), Buffer.alloc(object.size, '!'));
    expect(await bench.target.hash(object.path)).not.toBe(object.digest);
    await copy(bench.target, version);
    expect(await bench.target.hash(object.path)).toBe(object.digest);
  });

  it('lists the files of its versions and whatever else was put there, but none of its own', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await copy(bench.target, version);
    await show(bench.target, aState([version.mirrored]));
    await bench.strew('by/somebody/else');
    const listed: string[] = [];
    for await (const path of bench.target.files()) listed.push(path);
    expect(listed.toSorted()).toEqual([...bench.target.objectsOf(version.mirrored).map(({ path }) => path), 'by/somebody/else'].toSorted());
  });

  it('is rid of blobs that its state does not name, and of nothing that somebody else put there', async () => {
    const bench = current();
    const { target } = bench;
    const [kept, gone] = [aMirroredVersion(), aMirroredVersion({ packId: 'gone' })];
    for (const version of [kept, gone]) await copy(target, version);
    await bench.strew('by/somebody/else');
    const state = aState([kept.mirrored]);
    await show(target, state);
    const paths = ({ mirrored }: TestVersion) => target.objectsOf(mirrored).map(({ path }) => path);
    expect((await target.prune(state)).toSorted()).toEqual(paths(gone).toSorted());
    const left: string[] = [];
    for await (const path of target.files()) left.push(path);
    expect(left.toSorted()).toEqual([...paths(kept), 'by/somebody/else'].toSorted());
    expect(await target.state()).toEqual(state);
    expect(await target.prune(state)).toEqual([]);
  });

  it('lists nothing of a mirror that is not there', async () => {
    const bench = current();
    const nowhere = await bench.targets.open({ ...bench.place, location: 'sites/nowhere' });
    for await (const path of nowhere.files()) throw new Error(`there is ${path}`);
  });

  it('knows no size and no hash of what is not there', async () => {
    const bench = current();
    const { path } = bench.bundleOf(aMirroredVersion());
    expect([await bench.target.size(path), await bench.target.hash(path)]).toEqual([undefined, undefined]);
    expect(await codeOf(bench.target.read(path)[Symbol.asyncIterator]().next())).toBe('ERR_MIRROR_CORRUPT');
  });
}

function describePlace(current: () => Bench): void {
  it.each([
    '',
    '/etc',
    '..',
    '../globex',
    'a/../b',
    'a//b',
    'a/',
    './a',
    'A',
    'a b',
    'a\0b',
    'a\\b',
    'x/'.repeat(8) + 'x',
    'x'.repeat(256),
  ])('refuses the location %j', async location => {
    const bench = current();
    expect(await codeOf(bench.targets.open({ ...bench.place, location }))).toBe('ERR_MIRROR_TARGET_INVALID');
  });

  it.each([
    ['the location itself', ['acme', 'sites', 'north']],
    ['a folder above it', ['acme', 'sites']],
    ["the tenant's part", ['acme']],
  ])('follows no symbolic link in the place of %s', async (_, segments) => {
    const bench = current();
    const link = join(bench.root, ...segments);
    await rename(link, join(bench.root, 'elsewhere'));
    await symlink(join(bench.root, 'elsewhere'), link);
    expect(await codeOf(bench.targets.open(bench.place))).toBe('ERR_MIRROR_TARGET_INVALID');
    expect(await codeOf(bench.target.prepare())).toBe('ERR_MIRROR_TARGET_INVALID');
  });

  it('follows no symbolic link among its own folders', async () => {
    const bench = current();
    const version = aMirroredVersion();
    const [top = ''] = bench.bundleOf(version).path.split('/');
    await rm(bench.folder(top), { recursive: true, force: true });
    await mkdir(join(bench.root, 'elsewhere'));
    await symlink(join(bench.root, 'elsewhere'), bench.folder(top));
    const again = await bench.targets.open(bench.place);
    expect(await codeOf(again.prepare().then(() => copy(again, version)))).toBe('ERR_MIRROR_TARGET_INVALID');
    expect(await readdir(join(bench.root, 'elsewhere'))).toEqual([]);
  });
}

function describeFaults(current: () => Bench): void {
  it('cannot be written to where a file lies in the way', async () => {
    const bench = current();
    await mkdir(join(bench.root, 'acme', 'files'));
    await writeFile(join(bench.root, 'acme', 'files', 'south'), 'a file');
    const blocked = await bench.targets.open({ ...bench.place, location: 'files/south/deep' });
    expect(await codeOf(blocked.prepare())).toBe('ERR_MIRROR_TARGET_UNWRITABLE');
  });

  it('is unavailable when its folder goes while it is written to', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await rm(bench.folder(), { recursive: true });
    expect(await codeOf(copy(bench.target, version))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
  });

  it('is unavailable while the root is not there, and does not make one', async () => {
    const bench = current();
    await rm(bench.root, { recursive: true });
    expect(await codeOf(bench.targets.open(bench.place))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    expect(await codeOf(bench.target.prepare())).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    await expect(readdir(bench.root)).rejects.toThrow('ENOENT');
  });
}
