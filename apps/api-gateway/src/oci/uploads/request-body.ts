import type { IncomingMessage } from 'node:http';
import { DomainError } from '@packs/domain';

/**
 * The body of an upload, taken in parts. However little of it is taken, the request stays whole: what is left can be thrown away and the
 * client gets to read its answer.
 */
export class RequestBody {
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer | undefined;
  private exhausted = false;

  constructor(private readonly raw: IncomingMessage) {
    this.source = raw.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Whether all of it was taken. */
  get ended(): boolean {
    return this.exhausted;
  }

  /** Whether the connection broke before all of it had come. */
  get isBroken(): boolean {
    return this.raw.errored !== null || (this.raw.destroyed && !this.raw.complete);
  }

  /** Grows as bytes come in, whoever takes them. */
  get received(): number {
    return this.raw.socket.bytesRead;
  }

  /** At most `bytes` more. */
  async *upTo(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0;) {
      const chunk = await this.take();
      if (!chunk) return;
      const part = chunk.subarray(0, left);
      if (part.length < chunk.length) this.rest = chunk.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** All of it, in memory. */
  async whole(): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.upTo(Infinity)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** What was taken comes again. */
  putBack(bytes: Buffer): void {
    this.rest = bytes;
    this.exhausted = false;
  }

  /** Lets go of the request: what is left of it can be thrown away. */
  async close(): Promise<void> {
    await this.source.return?.();
  }

  /** Whoever waits for more of it gets `reason`, and its connection is cut. */
  cut(reason: Error): void {
    this.raw.destroy(reason);
  }

  private async take(): Promise<Buffer | undefined> {
    const { rest } = this;
    this.rest = undefined;
    if (rest) return rest;
    const next = await this.source.next();
    if (!next.done) return next.value;
    this.exhausted = true;
    return undefined;
  }
}

/** The connection broke: nobody reads the answer, and the next request goes on where this one ended. */
export function interrupted(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  return new DomainError('ERR_PACK_REQUEST_INVALID', 'the body ended before its end', { cause });
}
