import type { Digest } from '@packs/domain';
import { exactly, headerOf, padding } from './kit/write-kit';
import { BLOCK } from './ustar-header';

/** A regular file of an archive: its bytes, or the blob that holds them. */
export type TarFile =
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly size: number; readonly digest: Digest; open(): AsyncIterable<Uint8Array> };

/**
 * An archive of these files in the order of their paths, nobody's and without a time: the same files are the same bytes. No more of a blob is held
 * than what was last read of it.
 * @throws DomainError ERR_PACK_CORRUPT when a blob has more or fewer bytes than was said
 */
export async function* tarBytes(files: readonly TarFile[]): AsyncGenerator<Uint8Array, void> {
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const size = sizeOf(file);
    yield headerOf(file.path, size);
    if ('bytes' in file) yield file.bytes;
    else yield* exactly(file.open(), file);
    yield padding(size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** Bytes that `tarBytes` will yield. */
export function tarSize(files: readonly TarFile[]): number {
  return files.map(sizeOf).reduce((sum, size) => sum + BLOCK + size + padding(size).length, 2 * BLOCK);
}

function sizeOf(file: TarFile): number {
  return 'bytes' in file ? file.bytes.length : file.size;
}
