import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MirrorKind } from '@packs/contracts';
import type { MirrorObject, MirrorPlace, MirrorTargets } from '@packs/ports';
import { aMirroredVersion } from './a-mirrored-version';
import { codeOf, copy, describeMirrorTarget, type Bench, type MirrorHolder } from './mirror-target.conformance';

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

/** A mirror in a folder of its own. */
class FolderHolder implements MirrorHolder {
  readonly root = mkdtempSync(join(tmpdir(), 'mirrors-'));
  readonly targets: MirrorTargets;

  constructor(
    private readonly kind: MirrorKind,
    make: (root: string) => MirrorTargets,
  ) {
    this.targets = make(this.root);
  }

  place(tenant = 'acme', name = 'north'): MirrorPlace {
    return { tenant, kind: this.kind, location: `sites/${name}` };
  }

  folder(...path: readonly string[]): string {
    return join(this.root, 'acme', 'sites', 'north', ...path);
  }

  alter = ({ path, size }: MirrorObject): Promise<void> => writeFile(this.folder(path), Buffer.alloc(size, '!'));
  shorten = ({ path }: MirrorObject): Promise<void> => writeFile(this.folder(path), 'short');
  remove = ({ path }: MirrorObject): Promise<void> => rm(this.folder(path));
  names = (): Promise<string[]> => filesBelow(this.folder());
  lists = (): boolean => true;

  async strew(): Promise<string> {
    const path = 'by/somebody/else';
    await mkdir(dirname(this.folder(path)), { recursive: true });
    await writeFile(this.folder(path), 'extra');
    return path;
  }

  async damageState(): Promise<void> {
    for (const file of await filesBelow(this.folder())) if (/(?:index|state)\.json$/.test(file)) await writeFile(file, '{"schema":');
  }

  end(): Promise<void> {
    rmSync(this.root, { recursive: true, force: true });
    return Promise.resolve();
  }
}

type FolderBench = Bench<FolderHolder>;

/** What every kind of mirror in a folder has to hold to, beside what every mirror has to. */
export function describeFolderMirror(kind: MirrorKind, make: (root: string) => MirrorTargets): void {
  describeMirrorTarget<FolderHolder>(
    kind,
    () => Promise.resolve(new FolderHolder(kind, make)),
    current => {
      describeLeftovers(current);
      describePlace(current);
      describeFaults(current);
    },
  );
}

function describeLeftovers(current: () => FolderBench): void {
  it('removes what a killed writer left half done', async () => {
    const bench = current();
    const before = await filesBelow(bench.holder.folder());
    await writeFile(bench.holder.folder('.work', 'half-a-bundle'), 'half');
    await (await bench.holder.targets.open(bench.holder.place())).prepare();
    expect(await filesBelow(bench.holder.folder())).toEqual(before);
  });
}

function describePlace(current: () => FolderBench): void {
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
    expect(await codeOf(bench.holder.targets.open({ ...bench.holder.place(), location }))).toBe('ERR_MIRROR_TARGET_INVALID');
  });

  it.each([
    ['the location itself', ['acme', 'sites', 'north']],
    ['a folder above it', ['acme', 'sites']],
    ["the tenant's part", ['acme']],
  ])('follows no symbolic link in the place of %s', async (_, segments) => {
    const bench = current();
    const link = join(bench.holder.root, ...segments);
    await rename(link, join(bench.holder.root, 'elsewhere'));
    await symlink(join(bench.holder.root, 'elsewhere'), link);
    expect(await codeOf(bench.holder.targets.open(bench.holder.place()))).toBe('ERR_MIRROR_TARGET_INVALID');
    expect(await codeOf(bench.target.prepare())).toBe('ERR_MIRROR_TARGET_INVALID');
  });

  it('follows no symbolic link among its own folders', async () => {
    const bench = current();
    const version = aMirroredVersion();
    const [top = ''] = bench.bundleOf(version).path.split('/');
    await rm(bench.holder.folder(top), { recursive: true, force: true });
    await mkdir(join(bench.holder.root, 'elsewhere'));
    await symlink(join(bench.holder.root, 'elsewhere'), bench.holder.folder(top));
    const again = await bench.holder.targets.open(bench.holder.place());
    expect(await codeOf(again.prepare().then(() => copy(again, version)))).toBe('ERR_MIRROR_TARGET_INVALID');
    expect(await readdir(join(bench.holder.root, 'elsewhere'))).toEqual([]);
  });
}

function describeFaults(current: () => FolderBench): void {
  it('cannot be written to where a file lies in the way', async () => {
    const bench = current();
    await mkdir(join(bench.holder.root, 'acme', 'files'));
    await writeFile(join(bench.holder.root, 'acme', 'files', 'south'), 'a file');
    const blocked = await bench.holder.targets.open({ ...bench.holder.place(), location: 'files/south/deep' });
    expect(await codeOf(blocked.prepare())).toBe('ERR_MIRROR_TARGET_UNWRITABLE');
  });

  it('is unavailable when its folder goes while it is written to', async () => {
    const bench = current();
    const version = aMirroredVersion();
    await rm(bench.holder.folder(), { recursive: true });
    expect(await codeOf(copy(bench.target, version))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
  });

  it('is unavailable while the root is not there, and does not make one', async () => {
    const bench = current();
    await rm(bench.holder.root, { recursive: true });
    expect(await codeOf(bench.holder.targets.open(bench.holder.place()))).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    expect(await codeOf(bench.target.prepare())).toBe('ERR_MIRROR_TARGET_UNAVAILABLE');
    await expect(readdir(bench.holder.root)).rejects.toThrow('ENOENT');
  });
}
