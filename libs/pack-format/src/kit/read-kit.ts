import type { KitManifest } from '@packs/contracts';
import { sha256, type Digest } from '@packs/domain';
import { requireShapes } from './artifact-shape';
import { encodeDigestMap, encodeIndex, kitBlobs, KIT_PATHS, LAYOUT_MARKER } from './kit-documents';
import { kitFault } from './kit-fault';
import { holdTo, KIT_LIMITS, type KitLimits } from './kit-limits';
import { KitReader, PROVING_SINK, type KitArchive, type KitSink, type KitSource } from './kit-reader';
import { parseJson, parseKitManifest } from './parse-kit-manifest';

export interface ReadKit {
  readonly manifest: KitManifest;
  readonly manifestDigest: Digest;
  readonly blobs: number;
}

export interface ReadKitOptions {
  /** Default: one that only proves. */
  readonly sink?: KitSink;
  readonly limits?: KitLimits;
  /** Called with the bytes of each entry when it has passed. */
  readonly passed?: (bytes: number) => void;
}

/**
 * Reads a kit from end to end and proves that it is whole: every byte is accounted for, every blob has its digest, every manifest refers to blobs
 * that are there, no blob is there for nothing, and the documents belong together. Who signed it is another question.
 * Memory grows with the number of versions, not with their bytes.
 * @throws DomainError ERR_KIT_TRUNCATED | ERR_KIT_DIGEST | ERR_KIT_BLOB_MISSING | ERR_KIT_BLOB_EXTRA | ERR_KIT_INDEX | ERR_KIT_FORMAT |
 *   ERR_KIT_LIMIT; errors of the source and the sink pass unchanged
 */
export async function readKit(source: KitSource, options: ReadKitOptions = {}): Promise<ReadKit> {
  const { sink = PROVING_SINK, limits = KIT_LIMITS, passed = () => undefined } = options;
  holdTo(limits, 'size', source.size);
  const chunks = buffersOf(source.bytes);
  try {
    return checkKit(await new KitReader(chunks, sink, limits, passed).walk());
  } finally {
    await chunks.return();
  }
}

function checkKit(archive: KitArchive): ReadKit {
  const manifestBytes = documentOf(archive, KIT_PATHS.manifest);
  const manifest = parseKitManifest(manifestBytes);
  const manifestDigest = sha256(manifestBytes);
  if (!documentOf(archive, KIT_PATHS.layout).equals(LAYOUT_MARKER))
    throw kitFault('ERR_KIT_FORMAT', 'the OCI layout of the kit is not of version 1.0.0');
  requireDocument(archive, KIT_PATHS.index, encodeIndex(manifest, manifestDigest));
  requireDocument(archive, KIT_PATHS.digestMap, encodeDigestMap(manifest));
  requireBlobs(manifest, archive.blobs);
  for (const version of manifest.versions) requireShapes(version, archive.shapes);
  return { manifest, manifestDigest, blobs: archive.blobs.size };
}

function documentOf({ documents }: KitArchive, path: string): Buffer {
  const found = documents.get(path);
  if (!found) throw kitFault('ERR_KIT_FORMAT', `the kit has no ${path}`);
  return found;
}

function requireDocument(archive: KitArchive, path: string, expected: Buffer): void {
  const found = documentOf(archive, path);
  if (found.equals(expected)) return;
  parseJson(found.toString('utf8'), path);
  throw kitFault('ERR_KIT_INDEX', `${path} is not that of this kit`, { path });
}

function requireBlobs(manifest: KitManifest, found: ReadonlyMap<Digest, number>): void {
  const expected = new Map(kitBlobs(manifest).map(({ digest, size }) => [digest, size]));
  const missing = [...expected.keys()].filter(digest => !found.has(digest));
  const extra = [...found.keys()].filter(digest => !expected.has(digest));
  if (missing.length > 0 && extra.length > 0) {
    throw kitFault('ERR_KIT_INDEX', 'the documents and the blobs of the kit are of different kits', {
      missing: missing[0],
      extra: extra[0],
    });
  }
  if (missing.length > 0)
    throw kitFault('ERR_KIT_BLOB_MISSING', `the kit lacks ${missing.length} of its blobs`, { digest: missing[0], missing: missing.length });
  if (extra.length > 0)
    throw kitFault('ERR_KIT_BLOB_EXTRA', `the kit has ${extra.length} blobs that belong to nothing in it`, {
      digest: extra[0],
      extra: extra.length,
    });
  const wrong = [...expected].find(([digest, size]) => found.get(digest) !== size);
  if (wrong) throw kitFault('ERR_KIT_INDEX', `the kit gives another size for ${wrong[0]}`, { digest: wrong[0] });
}

async function* buffersOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) if (chunk.byteLength > 0) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
