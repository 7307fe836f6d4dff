import type { KitManifest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { BLOCK, encodeHeader } from '../ustar-header';
import { blobPath, kitBlobs, kitDocuments, type KitBlob } from './kit-documents';

/**
 * The bytes of a kit: an OCI image layout in a tar archive, its entries in the order of their paths, nobody's, without a time. One manifest has
 * one sequence of bytes, on every machine.
 * @param open hands on the bytes of a blob
 * @throws DomainError ERR_PACK_CORRUPT when those are more or fewer than the manifest says
 */
export async function* kitBytes(
  manifest: KitManifest,
  open: (blob: KitBlob) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for (const blob of kitBlobs(manifest)) {
    yield headerOf(blobPath(blob.digest), blob.size);
    yield* exactly(open(blob), blob);
    yield padding(blob.size);
  }
  for (const { path, bytes } of kitDocuments(manifest)) {
    yield headerOf(path, bytes.length);
    yield bytes;
    yield padding(bytes.length);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** Bytes that `kitBytes` will yield. */
export function kitSize(manifest: KitManifest): number {
  const sizes = [...kitBlobs(manifest).map(blob => blob.size), ...kitDocuments(manifest).map(document => document.bytes.length)];
  return sizes.reduce((sum, size) => sum + BLOCK + size + padding(size).length, 2 * BLOCK);
}

export function headerOf(path: string, size: number): Buffer {
  const header = encodeHeader(path, size, false);
  if (!header) throw new TypeError(`${path} does not fit into a ustar header`);
  return header;
}

export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export async function* exactly(
  source: AsyncIterable<Uint8Array>,
  { digest, size }: Pick<KitBlob, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array, void> {
  let written = 0;
  for await (const chunk of source) {
    written += chunk.byteLength;
    if (written > size) break;
    yield chunk;
  }
  if (written !== size) throw new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are not ${size}`);
}
