import type { DomainError } from '@packs/domain';
import { badBundle } from './bundle-limits';

/** Takes exact numbers of bytes out of a stream of chunks of any size. */
export class ChunkReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly chunks: AsyncIterator<Buffer>,
    private readonly truncated: () => DomainError = () => badBundle('the tar archive is truncated'),
  ) {}

  /** The next `size` bytes, in the pieces they arrive in. */
  async *take(size: number): AsyncGenerator<Buffer, void> {
    for (let missing = size; missing > 0;) {
      const chunk = await this.next();
      if (!chunk) throw this.truncated();
      const part = chunk.subarray(0, missing);
      this.rest = chunk.subarray(part.length);
      missing -= part.length;
      yield part;
    }
  }

  async exactly(size: number): Promise<Buffer> {
    if (this.rest.length >= size) {
      const part = this.rest.subarray(0, size);
      this.rest = this.rest.subarray(size);
      return part;
    }
    const parts: Buffer[] = [];
    for await (const part of this.take(size)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** The next bytes, at most `size` of them, left to be read. */
  async peek(size: number): Promise<Buffer> {
    while (this.rest.length < size) {
      const next = await this.chunks.next();
      if (next.done) break;
      this.rest = this.rest.length === 0 ? next.value : Buffer.concat([this.rest, next.value]);
    }
    return this.rest.subarray(0, size);
  }

  /** Gives back the end of what was read last. */
  unread(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([bytes, this.rest]);
  }

  /** The next chunk that is not empty, or undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return undefined;
      this.rest = next.value;
    }
    const chunk = this.rest;
    this.rest = Buffer.alloc(0);
    return chunk;
  }
}
