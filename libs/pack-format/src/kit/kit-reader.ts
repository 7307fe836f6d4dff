import { createHash } from 'node:crypto';
import { PACK_MANIFEST_MAX_BYTES, type Digest } from '@packs/domain';
import { ChunkReader } from '../chunk-reader';
import { BLOCK, decodeHeader, hasChecksum, isZero } from '../ustar-header';
import { shapeOf, type ArtifactShape } from './artifact-shape';
import { KIT_PATHS, type KitBlob } from './kit-documents';
import { kitFault } from './kit-fault';
import { holdTo, type KitLimits } from './kit-limits';
import { headerOf } from './write-kit';

/** Takes the blobs of a kit as they pass. */
export interface KitSink {
  /**
   * Takes `bytes` to their end.
   * @throws DomainError ERR_KIT_DIGEST when they are not the digest's; it may do so at any later call
   */
  blob(blob: KitBlob, bytes: AsyncIterable<Buffer>): Promise<void>;
}

/** Proves the blobs and keeps nothing. */
export const PROVING_SINK: KitSink = {
  async blob({ digest }, bytes) {
    const hash = createHash('sha256');
    for await (const part of bytes) hash.update(part);
    if (`sha256:${hash.digest('hex')}` !== digest)
      throw kitFault('ERR_KIT_DIGEST', `a blob does not have the digest ${digest} that it is named by`, { digest });
  },
};

/** What was found in a kit's archive, before anybody asked whether it belongs together. */
export interface KitArchive {
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly shapes: ReadonlyMap<Digest, ArtifactShape>;
  readonly documents: ReadonlyMap<string, Buffer>;
}

export interface KitSource {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly size: number;
}

const BLOB_PATH = /^blobs\/sha256\/([0-9a-f]{64})$/;
const DOCUMENT_PATHS: ReadonlySet<string> = new Set(Object.values(KIT_PATHS));

/** Walks the archive of a kit once, from end to end. Strict: there is one way to write a kit, and everything else is refused. */
export class KitReader {
  private readonly reader: ChunkReader;
  private readonly blobs = new Map<Digest, number>();
  private readonly shapes = new Map<Digest, ArtifactShape>();
  private readonly documents = new Map<string, Buffer>();
  private last = '';

  constructor(
    chunks: AsyncIterator<Buffer>,
    private readonly sink: KitSink,
    private readonly limits: KitLimits,
    private readonly passed: (bytes: number) => void,
  ) {
    this.reader = new ChunkReader(chunks, () => kitFault('ERR_KIT_TRUNCATED', 'the kit ends before its end'));
  }

  async walk(): Promise<KitArchive> {
    for (let entries = 1; ; entries++) {
      const block = await this.reader.exactly(BLOCK);
      if (isZero(block)) break;
      holdTo(this.limits, 'entries', entries);
      await this.entry(block);
    }
    if (!isZero(await this.reader.exactly(BLOCK))) throw kitFault('ERR_KIT_DIGEST', 'there is an empty block among the entries of the kit');
    if (await this.reader.next()) throw kitFault('ERR_KIT_FORMAT', 'there is data behind the end of the kit');
    return { blobs: this.blobs, shapes: this.shapes, documents: this.documents };
  }

  private async entry(block: Buffer): Promise<void> {
    const { path, size } = headerIn(block);
    if (path <= this.last) throw kitFault('ERR_KIT_FORMAT', `the entry ${JSON.stringify(path)} is not in order, or there twice`);
    this.last = path;
    const hex = BLOB_PATH.exec(path)?.[1];
    if (hex !== undefined) await this.blob({ digest: `sha256:${hex}`, size });
    else await this.document(path, size);
    if (!isZero(await this.reader.exactly((BLOCK - (size % BLOCK)) % BLOCK))) {
      throw kitFault('ERR_KIT_DIGEST', `the room behind ${path} is not empty`);
    }
    this.passed(BLOCK + size);
  }

  private async blob(blob: KitBlob): Promise<void> {
    holdTo(this.limits, 'blob', blob.size);
    const kept: Buffer[] = [];
    const { reader } = this;
    async function* seen(): AsyncGenerator<Buffer> {
      for await (const part of reader.take(blob.size)) {
        if (blob.size <= PACK_MANIFEST_MAX_BYTES) kept.push(Buffer.from(part));
        yield part;
      }
    }
    await this.sink.blob(blob, seen());
    this.blobs.set(blob.digest, blob.size);
    const shape = blob.size <= PACK_MANIFEST_MAX_BYTES ? shapeOf(Buffer.concat(kept)) : undefined;
    if (shape) this.shapes.set(blob.digest, shape);
  }

  private async document(path: string, size: number): Promise<void> {
    if (!DOCUMENT_PATHS.has(path))
      throw kitFault('ERR_KIT_LIMIT', `a kit has no entry ${JSON.stringify(path.slice(0, 200))}`, { limit: 'path' });
    holdTo(this.limits, 'document', size);
    this.documents.set(path, Buffer.from(await this.reader.exactly(size)));
  }
}

/** Only the very block our writer makes for this path and size. */
function headerIn(block: Buffer): { path: string; size: number } {
  if (block.toString('latin1', 257, 265) !== 'ustar\x0000') throw kitFault('ERR_KIT_FORMAT', 'the file is no ustar archive');
  if (!hasChecksum(block)) throw kitFault('ERR_KIT_DIGEST', 'a header in the kit was changed');
  try {
    const { path, size } = decodeHeader(block);
    if (path.length <= 100 && headerOf(path, size).equals(block)) return { path, size };
    if (BLOB_PATH.test(path) || DOCUMENT_PATHS.has(path))
      throw kitFault('ERR_KIT_FORMAT', `the entry ${path} has an owner, a time or a mode`);
    throw kitFault('ERR_KIT_LIMIT', `a kit has no entry ${JSON.stringify(path.slice(0, 200))}`, { limit: 'path' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_KIT_')) throw error;
    throw kitFault('ERR_KIT_FORMAT', `an entry of the kit is not a plain file: ${(error as Error).message}`);
  }
}
