import { createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib';
import { badBundle } from '../bundle-limits';
import type { ChunkReader } from '../chunk-reader';

const ENGINES = {
  gzip: () => createGunzip({ chunkSize: 64 * 1024 }),
  deflate: () => createInflateRaw({ chunkSize: 64 * 1024 }),
} as const;

/**
 * Inflates from where `reader` stands, in memory that does not grow. When the stream has ended, the reader stands behind it.
 * @param admit is told before each chunk how many bytes the stream has given and taken
 * @throws DomainError ERR_PACK_BUNDLE_INVALID for what is no such stream; errors of the reader and of `admit` pass unchanged
 */
export async function* inflateNested(
  kind: keyof typeof ENGINES,
  reader: ChunkReader,
  admit: (given: number, taken: number) => void,
): AsyncGenerator<Buffer, void> {
  const feeder = new Feeder(ENGINES[kind](), reader);
  let given = 0;
  try {
    for await (const chunk of feeder.engine as AsyncIterable<Buffer>) {
      given += chunk.length;
      admit(given, feeder.taken);
      yield chunk;
    }
  } catch (error) {
    throw isZlibError(error) ? badBundle('a compressed stream is damaged', error) : error;
  } finally {
    await feeder.stop();
  }
}

class Feeder {
  taken = 0;
  private last: Buffer = Buffer.alloc(0);
  private isStopped = false;
  private readonly closed: Promise<unknown>;
  private readonly fed: Promise<void>;

  constructor(
    readonly engine: Gunzip | InflateRaw,
    private readonly reader: ChunkReader,
  ) {
    this.closed = new Promise(resolve => engine.once('close', resolve));
    this.fed = this.feed().catch((error: Error) => void engine.destroy(error));
  }

  /** Ends it wherever it is, and gives back what the stream did not need. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.engine.destroy();
    await this.fed;
    const surplus = Math.min(this.last.length, this.taken - this.engine.bytesWritten);
    if (surplus > 0) this.reader.unread(this.last.subarray(this.last.length - surplus));
  }

  private async feed(): Promise<void> {
    while (!this.isStopped && !this.engine.destroyed) {
      const chunk = await this.reader.next();
      if (!chunk) return void this.engine.end();
      this.last = chunk;
      this.taken += chunk.length;
      // The callback of a write is never called when the stream ends inside it.
      await Promise.race([new Promise(resolve => this.engine.write(chunk, resolve)), this.closed]);
    }
  }
}

function isZlibError(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}
