import { createHash } from 'node:crypto';
import { DomainError, PACK_MANIFEST_FILE, type Digest, type PackManifest } from '@packs/domain';
import { BUNDLE_LIMITS, badBundle, inflatedLimit, overLimit, type BundleLimits } from './bundle-limits';
import { BundlePaths } from './bundle-path';
import { ChunkReader } from './chunk-reader';
import { inflateGzipMember } from './gzip-member';
import { refuseMissingFiles } from './manifest-files';
import { MANIFEST_MAX_BYTES, parsePackManifest } from './parse-pack-manifest';
import { BLOCK, decodeHeader, isZero } from './ustar-header';

export interface BundleEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

export interface WalkedBundle {
  readonly manifest: PackManifest;
  /** `pack.yaml` as it is in the bundle. */
  readonly manifestBytes: Buffer;
  /** The files, in the order of the archive. */
  readonly entries: readonly BundleEntry[];
  /** The sum of the files' sizes. */
  readonly totalSize: number;
}

/** Is given the content of each file as it passes. What it leaves is read on without it. */
export type FileVisitor = (path: string, content: AsyncIterator<Buffer>) => Promise<void>;

export interface WalkOptions {
  /** Bytes of the compressed bundle. Everybody who holds a bundle knows it, and with it a bomb is known as one before it is inflated. */
  readonly size: number;
  readonly limits?: BundleLimits;
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly visit?: FileVisitor;
}

/**
 * Reads a bundle from end to end without ever writing a file, with memory that does not grow with it.
 * Order, owners, modes and times of the entries are free; everything that two tar programs could understand differently is refused.
 * @throws DomainError ERR_PACK_BUNDLE_INVALID | ERR_PACK_BUNDLE_PATH | ERR_PACK_BUNDLE_LIMIT (details: limit, value) |
 *   ERR_PACK_MANIFEST_MISSING | ERR_PACK_MANIFEST_YAML | ERR_PACK_MANIFEST_SCHEMA; errors of `source` pass unchanged
 */
export async function walkBundle(source: AsyncIterable<Uint8Array>, options: WalkOptions): Promise<WalkedBundle> {
  const limits = options.limits ?? BUNDLE_LIMITS;
  if (options.size > limits.size) throw overLimit('size', options.size, `the bundle has more than ${limits.size} bytes`);
  const most = inflatedLimit(limits, options.size);
  const refuse = (value: number): DomainError =>
    overLimit(most.name, value, `${options.size} bytes inflate to more than ${most.bytes} bytes`);
  const inflated = inflateWithin(exactSize(source, options.size), { most: most.bytes, refuse, signal: options.signal });
  try {
    // What the headers announce is refused without inflating up to it.
    const admit = (announced: number): void => {
      if (announced > most.bytes) throw refuse(announced);
    };
    const { entries, manifestBytes } = await walkArchive(new ChunkReader(inflated), limits, admit, options.visit);
    if (!manifestBytes) throw new DomainError('ERR_PACK_MANIFEST_MISSING', `the bundle has no ${PACK_MANIFEST_FILE} at its root`);
    const manifest = parsePackManifest(manifestBytes);
    refuseMissingFiles(manifest, new Set(entries.map(entry => entry.path)));
    return { manifest, manifestBytes, entries, totalSize: entries.reduce((sum, entry) => sum + entry.size, 0) };
  } finally {
    await inflated.return();
  }
}

async function walkArchive(
  reader: ChunkReader,
  limits: BundleLimits,
  admit: (announced: number) => void,
  visit: FileVisitor | undefined,
): Promise<{ entries: BundleEntry[]; manifestBytes?: Buffer }> {
  const paths = new BundlePaths(limits);
  const entries: BundleEntry[] = [];
  let manifestBytes: Buffer | undefined;
  let announced = 0;
  for (let count = 0; ; count++) {
    const block = await reader.exactly(BLOCK);
    if (isZero(block)) break;
    if (count >= limits.entries) throw overLimit('entries', count + 1, `the bundle has more than ${limits.entries} entries`);
    const header = decodeHeader(block);
    paths.add(header.path, header.directory);
    if (header.size > limits.file) throw overLimit('file', header.size, `a file has more than ${limits.file} bytes`);
    announced += header.size;
    admit(announced);
    if (header.directory) continue;
    const isManifest = header.path === PACK_MANIFEST_FILE;
    if (isManifest && header.size > MANIFEST_MAX_BYTES) throw manifestTooLarge();
    const content = await readContent(reader, header.size, isManifest, visit && (part => visit(header.path, part)));
    if (isManifest) manifestBytes = content.bytes;
    entries.push({ path: header.path, size: header.size, sha256: content.sha256 });
  }
  await refuseAfterEnd(reader);
  return { entries, manifestBytes };
}

async function readContent(
  reader: ChunkReader,
  size: number,
  keep: boolean,
  visit: ((content: AsyncIterator<Buffer>) => Promise<void>) | undefined,
): Promise<{ sha256: Digest; bytes: Buffer }> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  const content = (async function* () {
    for await (const part of reader.take(size)) {
      hash.update(part);
      if (keep) kept.push(part);
      yield part;
    }
  })();
  // Without a way to end it: what a visitor leaves is read here.
  if (visit) await visit({ next: () => content.next() });
  for (let part = await content.next(); !part.done;) part = await content.next();
  await reader.exactly((BLOCK - (size % BLOCK)) % BLOCK);
  return { sha256: `sha256:${hash.digest('hex')}`, bytes: Buffer.concat(kept) };
}

/** The archive ends with two zero blocks; tar programs fill up their last record with more zeros. */
async function refuseAfterEnd(reader: ChunkReader): Promise<void> {
  if (!isZero(await reader.exactly(BLOCK))) throw badBundle('the tar archive has a single zero block among its entries');
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    if (!isZero(chunk)) throw badBundle('there is data behind the end of the tar archive');
  }
}

async function* inflateWithin(
  source: AsyncIterable<Uint8Array>,
  bound: { readonly most: number; readonly refuse: (value: number) => DomainError; readonly signal?: AbortSignal },
): AsyncGenerator<Buffer, void> {
  let total = 0;
  for await (const chunk of inflateGzipMember(source, bound.signal)) {
    total += chunk.length;
    if (total > bound.most) throw bound.refuse(total);
    yield chunk;
  }
}

async function* exactSize(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void> {
  let received = 0;
  for await (const piece of source) {
    received += piece.byteLength;
    if (received > size) break;
    yield piece;
  }
  if (received !== size) throw badBundle(`the bundle does not have the ${size} bytes it should have`);
}

function manifestTooLarge(): DomainError {
  return new DomainError('ERR_PACK_MANIFEST_YAML', `${PACK_MANIFEST_FILE} has more than ${MANIFEST_MAX_BYTES} bytes`);
}
