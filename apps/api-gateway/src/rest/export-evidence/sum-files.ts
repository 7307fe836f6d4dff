import { digestHex, sha256, type Digest } from '@packs/domain';
import type { TarFile } from '@packs/pack-format';

/** A file whose digest is known before its bytes are read. */
export type SummedFile = TarFile & { readonly digest: Digest };

export function summed(path: string, bytes: Uint8Array): SummedFile {
  return { path, bytes, digest: sha256(bytes) };
}

/** `SHA256SUMS` of the files, as sha256sum reads it. */
export function sumsOf(files: readonly SummedFile[]): SummedFile {
  const lines = files.map(({ path, digest }) => `${digestHex(digest)}  ${path}\n`);
  return summed('SHA256SUMS', Buffer.from(lines.toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('')));
}
