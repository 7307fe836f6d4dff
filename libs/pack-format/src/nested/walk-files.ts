import { DomainError } from '@packs/domain';
import { badBundle } from '../bundle-limits';
import { ChunkReader } from '../chunk-reader';
import { walkBundle } from '../read-bundle';
import { BLOCK } from '../ustar-header';
import { inflateNested } from './inflate-nested';
import type { NestedEntry, SealedEntry } from './nested-entry';
import { NestedBudget, nestedLimits, type NestedLimits } from './nested-limits';
import { isTarHeader, readNestedTar } from './read-nested-tar';
import { readNestedZip } from './read-nested-zip';

/** Who is given one file's content, piece by piece; the next piece comes when what `write` returned has resolved. */
export interface FileSink {
  write(piece: Buffer): Promise<void> | void;
  end(): Promise<void> | void;
}

/** What was passed on without having been looked into. */
export interface UnopenedFile {
  readonly path: string;
  readonly why: 'encrypted' | 'compression' | 'damaged';
}

export interface FilesWalk {
  /** Bytes of the compressed bundle. */
  readonly size: number;
  readonly limits?: NestedLimits;
  readonly signal?: AbortSignal;
  /** Is asked for every file of the bundle and of every archive in it; the path of the latter is behind that of its archive and a `!`. */
  open(path: string): FileSink;
}

const PATH_MAX = 512;
/** Archives and entries that are named as unopened. */
const UNOPENED_MAX = 50;

/**
 * Gives out every file of a bundle, and of the tar, gzip and zip archives in it at any depth, as it passes: archives themselves too, as they are.
 * Nothing is kept and nothing is written; what all of it may cost is known beforehand.
 * @returns the first of what could not be looked into, or not to its end
 * @throws DomainError ERR_PACK_SCAN_LIMIT (details: limit, path); what `walkBundle` and the sinks throw passes unchanged
 */
export async function walkFiles(source: AsyncIterable<Uint8Array>, walk: FilesWalk): Promise<UnopenedFile[]> {
  const visitor = new NestedWalk(walk);
  await walkBundle(source, { size: walk.size, signal: walk.signal, visit: (path, content) => visitor.file(path, content, 0) });
  return visitor.unopened;
}

class NestedWalk {
  readonly unopened: UnopenedFile[] = [];
  private readonly budget: NestedBudget;

  constructor(private readonly walk: FilesWalk) {
    this.budget = new NestedBudget(walk.limits ?? nestedLimits(walk.size));
  }

  async file(path: string, content: AsyncIterator<Buffer>, depth: number): Promise<void> {
    this.budget.file(path);
    const sink = this.walk.open(path);
    const reader = new ChunkReader(this.passing(path, content, sink, depth), () => badBundle('an archive is truncated'));
    try {
      await this.lookInto(path, reader, depth);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'ERR_PACK_BUNDLE_INVALID') throw error;
      this.leave({ path, why: 'damaged' });
    }
    while (await reader.next());
    await sink.end();
  }

  /** The content, which a sink has had before the next reader gets it. */
  private passing(path: string, content: AsyncIterator<Buffer>, sink: FileSink, depth: number): AsyncIterator<Buffer> {
    return {
      next: async () => {
        this.walk.signal?.throwIfAborted();
        const piece = await content.next();
        if (piece.done) return piece;
        if (depth > 0) this.budget.content(path, piece.value.length);
        await sink.write(piece.value);
        return piece;
      },
    };
  }

  private async lookInto(path: string, reader: ChunkReader, depth: number): Promise<void> {
    const head = await reader.peek(BLOCK);
    const admit = (given: number, taken: number): void => this.budget.inflated(path, given, taken);
    if (head.length >= 3 && head.readUIntBE(0, 3) === 0x1f8b08) {
      const content = inflateNested('gzip', reader, admit);
      await this.entries(path, only(content), depth);
    } else if (head.length >= 4 && head.readUInt32LE(0) === 0x04034b50) await this.entries(path, readNestedZip(reader, admit), depth);
    else if (isTarHeader(head)) await this.entries(path, readNestedTar(reader), depth);
  }

  private leave(file: UnopenedFile): void {
    if (this.unopened.length < UNOPENED_MAX) this.unopened.push(file);
  }

  private async entries(path: string, entries: AsyncIterable<NestedEntry | SealedEntry>, depth: number): Promise<void> {
    this.budget.archive(path, depth);
    for await (const entry of entries) {
      const name = `${path}!${entry.name}`.slice(0, PATH_MAX).toWellFormed();
      if ('sealed' in entry) {
        this.budget.file(name);
        this.leave({ path: name, why: entry.sealed });
      } else await this.file(name, { next: () => entry.content.next() }, depth + 1);
    }
  }
}

/** A gzip file holds one file without a name of its own. */
async function* only(content: AsyncGenerator<Buffer, void>): AsyncGenerator<NestedEntry, void> {
  try {
    yield { name: '', content };
  } finally {
    await content.return();
  }
}
