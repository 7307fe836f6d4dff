import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '@packs/domain';
import { extract, type Header } from 'tar-stream';
import { TASK_YAML } from './archive.fixture';
import { buildBundle } from './build-bundle';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'build-bundle-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const FILES: readonly (readonly [string, string | Buffer, number])[] = [
  ['pack.yaml', TASK_YAML, 0o644],
  ['scripts/greet.sh', '#!/bin/sh\necho hello\n', 0o755],
  ['scripts.txt', 'sorts before the folder by bytes', 0o644],
  ['é/ü.txt', 'names in UTF-8', 0o644],
  ['large.bin', Buffer.alloc(300_000, 'some content that repeats '), 0o644],
];

async function packDir(name: string, files = FILES): Promise<string> {
  const dir = path.join(root, name);
  for (const [file, content, mode] of files) {
    const target = path.join(dir, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
    await chmod(target, mode);
  }
  return dir;
}

describe('buildBundle', () => {
  it('writes the bytes it always wrote', async () => {
    const built = await buildBundle(await packDir('a'), path.join(root, 'a.tgz'));
    expect(built.digest).toBe('sha256:114a2bdc853e916d5a9641c8ff97a7f9255f5066c671a3694b2dd93468a56737');
    const bytes = await readFile(path.join(root, 'a.tgz'));
    expect(sha256(bytes)).toBe(built.digest);
    expect(bytes.length).toBe(built.size);
  });

  it('does not depend on place, order of creation, times or other permissions', async () => {
    const first = await buildBundle(await packDir('a'), path.join(root, 'a.tgz'));
    const again = FILES.toReversed().map(([file, content, mode]) => [file, content, mode === 0o755 ? 0o700 : 0o600] as const);
    const elsewhere = await packDir('deep/er/b', again);
    await utimes(path.join(elsewhere, 'pack.yaml'), new Date(), new Date(86_400_000));
    await mkdir(path.join(elsewhere, 'empty'));
    const second = await buildBundle(elsewhere, path.join(root, 'b.tgz'));
    expect(second.digest).toBe(first.digest);
  });

  it('keeps whether a file is executable', async () => {
    const first = await buildBundle(await packDir('a'), path.join(root, 'a.tgz'));
    await chmod(path.join(root, 'a/scripts/greet.sh'), 0o644);
    const second = await buildBundle(path.join(root, 'a'), path.join(root, 'a.tgz'));
    expect(second.digest).not.toBe(first.digest);
  });

  it('is read by another tar implementation as it is meant', async () => {
    const built = await buildBundle(await packDir('a'), path.join(root, 'a.tgz'));
    const archive = gunzipSync(await readFile(path.join(root, 'a.tgz')));
    const reader = extract();
    Readable.from([archive]).pipe(reader);
    const seen: Header[] = [];
    for await (const entry of reader) {
      seen.push(entry.header);
      entry.resume();
    }
    expect(seen.map(header => [header.name, header.mode, header.size])).toEqual([
      ['large.bin', 0o644, 300_000],
      ['pack.yaml', 0o644, TASK_YAML.length],
      ['scripts.txt', 0o644, 32],
      ['scripts/greet.sh', 0o755, 21],
      ['é/ü.txt', 0o644, 14],
    ]);
    for (const header of seen)
      expect(header).toMatchObject({ uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0), type: 'file', pax: null });
    expect(built.entries.map(entry => entry.path)).toEqual(seen.map(header => header.name));
  });

  it('leaves out .git, its own output and what it is told to', async () => {
    const dir = await packDir('a');
    const plain = await buildBundle(dir, path.join(root, 'a.tgz'));
    await mkdir(path.join(dir, '.git'));
    await writeFile(path.join(dir, '.git/HEAD'), 'ref');
    await writeFile(path.join(dir, 'out.tgz'), 'an earlier bundle');
    await writeFile(path.join(dir, 'out.tgz.sigstore.json'), '{}');
    const built = await buildBundle(dir, path.join(dir, 'out.tgz'), [path.join(dir, 'out.tgz.sigstore.json')]);
    expect(built.digest).toBe(plain.digest);
  });

  it('refuses links', async () => {
    const dir = await packDir('a');
    await symlink('/etc/passwd', path.join(dir, 'link'));
    await expect(buildBundle(dir, path.join(root, 'a.tgz'))).rejects.toMatchObject({ code: 'ERR_PACK_BUNDLE_PATH' });
  });

  it('refuses paths that do not fit, and a bundle the registry would refuse', async () => {
    const unsplittable = await packDir('a', [...FILES, ['n'.repeat(101), '', 0o644]]);
    await expect(buildBundle(unsplittable, path.join(root, 'a.tgz'))).rejects.toMatchObject({ code: 'ERR_PACK_BUNDLE_PATH' });
    const bomb = await packDir('b', [...FILES, ['zeros', Buffer.alloc(4 * 1024 * 1024), 0o644]]);
    await expect(buildBundle(bomb, path.join(root, 'b.tgz'))).rejects.toMatchObject({ code: 'ERR_PACK_BUNDLE_LIMIT' });
  });

  it('on failure leaves an existing file alone and no other behind', async () => {
    const dir = await packDir('a', [['pack.yaml', 'kind: x', 0o644]]);
    await writeFile(path.join(root, 'a.tgz'), 'earlier');
    await expect(buildBundle(dir, path.join(root, 'a.tgz'))).rejects.toMatchObject({ code: 'ERR_PACK_MANIFEST_SCHEMA' });
    await rm(path.join(dir, 'pack.yaml'));
    await expect(buildBundle(dir, path.join(root, 'a.tgz'))).rejects.toMatchObject({ code: 'ERR_PACK_MANIFEST_MISSING' });
    expect(await readFile(path.join(root, 'a.tgz'), 'utf8')).toBe('earlier');
    expect((await readdir(root)).toSorted()).toEqual(['a', 'a.tgz']);
  });
});
