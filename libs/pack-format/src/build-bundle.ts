import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createDeflateRaw } from 'node:zlib';
import { DomainError, PACK_MANIFEST_FILE, type Digest } from '@packs/domain';
import { badBundle } from './bundle-limits';
import { GZIP_HEADER, gzipTrailer } from './gzip-member';
import { listPackFiles, openPackFile, type PackFile } from './pack-files';
import { parsePackManifest } from './parse-pack-manifest';
import { walkBundle, type WalkedBundle } from './read-bundle';
import { BLOCK, encodeHeader } from './ustar-header';

export interface BuiltBundle extends WalkedBundle {
  readonly digest: Digest;
  readonly size: number;
}

/** Every choice zlib offers is made here; with pieces of one size behind it the output depends on the input alone. */
const DEFLATE = { level: 9, memLevel: 9, windowBits: 15, strategy: constants.Z_DEFAULT_STRATEGY };
const PIECE = 64 * 1024;

/**
 * Packs the folder `dir` into `file`, the same bytes for the same content on every machine: entries in byte order of their paths, no directories,
 * owner 0 without a name, time 0, mode 0644 or 0755. All files are packed but `.git`, `file` and `exclude`.
 * What is written has been walked as the registry will walk it; on failure an existing `file` stays as it was.
 * @throws DomainError ERR_PACK_BUNDLE_* or ERR_PACK_MANIFEST_*
 */
export async function buildBundle(dir: string, file: string, exclude: readonly string[] = []): Promise<BuiltBundle> {
  await checkManifest(dir);
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  try {
    const files = await listPackFiles(dir, [file, temporary, ...exclude]);
    await writeBundle(files, temporary);
    const built = await readBack(temporary);
    await rename(temporary, file);
    return built;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function checkManifest(dir: string): Promise<void> {
  const bytes = await readFile(path.join(dir, PACK_MANIFEST_FILE)).catch((cause: unknown) => {
    throw new DomainError('ERR_PACK_MANIFEST_MISSING', `${dir} has no ${PACK_MANIFEST_FILE}`, { cause });
  });
  parsePackManifest(bytes);
}

async function writeBundle(files: readonly PackFile[], target: string): Promise<void> {
  let crc = 0;
  let length = 0;
  async function* measured(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      crc = crc32(piece, crc);
      length += piece.length;
      yield piece;
    }
  }
  async function* framed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield GZIP_HEADER;
    yield* source;
    yield gzipTrailer(crc, length);
  }
  const deflate = createDeflateRaw(DEFLATE);
  await pipeline(archive(files), inPieces, measured, deflate, framed, createWriteStream(target, { flags: 'wx', flush: true }));
}

async function* archive(files: readonly PackFile[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    await using content = await openPackFile(file);
    const header = encodeHeader(file.path, content.size, content.executable);
    if (!header) throw new DomainError('ERR_PACK_BUNDLE_PATH', `path ${JSON.stringify(file.path)} does not fit into a ustar header`);
    yield header;
    let read = 0;
    for await (const piece of content.read()) {
      read += piece.length;
      yield piece;
    }
    if (read !== content.size) throw badBundle(`${file.path} changed while it was packed`);
    yield Buffer.alloc((BLOCK - (read % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** zlib's choices may depend on where its input is cut. */
async function* inPieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    held.push(chunk);
    length += chunk.length;
    if (length < PIECE) continue;
    const bytes = Buffer.concat(held);
    let at = 0;
    for (; length - at >= PIECE; at += PIECE) yield bytes.subarray(at, at + PIECE);
    held = [bytes.subarray(at)];
    length -= at;
  }
  yield Buffer.concat(held);
}

async function readBack(file: string): Promise<BuiltBundle> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  const walked = await walkBundle(createReadStream(file), { size });
  return { ...walked, digest: `sha256:${hash.digest('hex')}`, size };
}
