import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { DomainError } from '@packs/domain';
import { BUNDLE_LIMITS, overLimit } from './bundle-limits';
import { BundlePaths } from './bundle-path';

export interface PackFile {
  /** Relative to the pack's folder, with `/`. */
  readonly path: string;
  readonly file: string;
}

interface OpenPackFile extends AsyncDisposable {
  readonly size: number;
  readonly executable: boolean;
  read(): AsyncIterable<Buffer>;
}

/**
 * The regular files below `dir` in byte order of their paths, without `.git` and `skipped`.
 * @throws DomainError ERR_PACK_BUNDLE_PATH for links, devices and paths a bundle cannot have; ERR_PACK_BUNDLE_LIMIT
 */
export async function listPackFiles(dir: string, skipped: readonly string[]): Promise<PackFile[]> {
  const skip = new Set(skipped.map(file => path.resolve(file)));
  const paths = new BundlePaths(BUNDLE_LIMITS);
  const found: PackFile[] = [];
  async function list(folder: string, prefix: string): Promise<void> {
    for (const item of await readdir(folder, { withFileTypes: true })) {
      const file = path.join(folder, item.name);
      if (item.name === '.git' || skip.has(path.resolve(file))) continue;
      const name = prefix + item.name;
      if (item.isDirectory()) await list(file, `${name}/`);
      else found.push({ path: regular(item, name), file });
    }
  }
  await list(dir, '');
  for (const file of found) paths.add(file.path, false);
  return found.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function regular(item: Dirent, name: string): string {
  if (item.isFile()) return name;
  const kind = item.isSymbolicLink() ? 'a symbolic link' : 'not a regular file';
  throw new DomainError('ERR_PACK_BUNDLE_PATH', `${JSON.stringify(name)} is ${kind}; a bundle has regular files only`);
}

export async function openPackFile({ path: name, file }: PackFile): Promise<OpenPackFile> {
  // It may have become a link since it was listed.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  const { size, mode } = await handle.stat();
  const content: OpenPackFile = {
    size,
    executable: (mode & 0o100) !== 0,
    read: () => handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
    [Symbol.asyncDispose]: () => handle.close(),
  };
  if (size <= BUNDLE_LIMITS.file) return content;
  await handle.close();
  throw overLimit('file', size, `${JSON.stringify(name)} has more than ${BUNDLE_LIMITS.file} bytes`);
}
