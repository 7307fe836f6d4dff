import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataDirsWithin, emptyDataDir, openDataDir } from './data-dir';

describe('data directory', () => {
  let parent: string;
  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'data-'))));
  afterEach(() => rmSync(parent, { recursive: true }));

  it('refuses a folder with something of the user in it, which --fresh would delete', () => {
    writeFileSync(join(parent, 'thesis.txt'), 'years of work');
    expect(() => openDataDir(parent)).toThrow(/holds no data of this product/);
    expect(readdirSync(parent)).toEqual(['thesis.txt']);
  });

  it('lets other users pass but not look, and closes what is within', () => {
    const dataDir = openDataDir(join(parent, '.data'));
    expect(statSync(dataDir).mode & 0o777).toBe(0o711);
    expect(statSync(join(dataDir, 'keys')).mode & 0o777).toBe(0o700);
  });

  it('empties what an earlier run left, but not the lock of this one', () => {
    const dataDir = openDataDir(join(parent, '.data'));
    for (const name of ['lock', 'secrets.json', 'blobs/x']) writeFileSync(join(dataDir, name), '');
    emptyDataDir(dataDir);
    expect(existsSync(join(dataDir, 'lock'))).toBe(true);
    expect(existsSync(join(dataDir, 'secrets.json'))).toBe(false);
    expect(readdirSync(join(dataDir, 'blobs'))).toEqual([]);
    expect(openDataDir(dataDir)).toBe(dataDir);
  });

  it('knows those within it, and takes no folder of its own for one', () => {
    const dataDir = openDataDir(join(parent, '.data'));
    expect(dataDirsWithin(dataDir)).toEqual([]);
    const within = openDataDir(join(dataDir, 'site-b'));
    expect(dataDirsWithin(dataDir)).toEqual([within]);
    emptyDataDir(dataDir);
    expect(existsSync(within)).toBe(false);
    expect(dataDirsWithin(join(parent, 'never-made'))).toEqual([]);
  });
});
