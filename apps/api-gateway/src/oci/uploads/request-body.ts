import type { IncomingMessage } from 'node:http';
import { DomainError } from '@packs/domain';
import type { PouringSource } from '@packs/ports';
import { pourRequest, type Take } from './pour-request';

/**
 * The body of an upload, taken in parts. However little of it is taken, the request stays whole: what is left can be thrown away and the
 * client gets to read its answer.
 */
export class RequestBody {
  private rest: Buffer | undefined;
  private exhausted = false;

  constructor(private readonly raw: IncomingMessage) {}

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
  upTo(bytes: number): PouringSource {
    return { pour: take => this.pour(bytes, take) };
  }

  /** All of it, in memory. */
  async whole(): Promise<Buffer> {
    const parts: Buffer[] = [];
    await this.pour(Infinity, piece => {
      parts.push(Buffer.from(piece));
      return undefined;
    });
    return Buffer.concat(parts);
  }

  /** What was taken comes again. */
  putBack(bytes: Buffer): void {
    this.rest = bytes;
    this.exhausted = false;
  }

  /** Whoever waits for more of it gets `reason`, and its connection is cut. */
  cut(reason: Error): void {
    this.raw.destroy(reason);
  }

  private async pour(bytes: number, take: Take): Promise<void> {
    const { rest, ended } = await pourRequest(this.raw, this.rest, bytes, take);
    this.rest = rest;
    this.exhausted ||= ended;
  }
}

/** The connection broke: nobody reads the answer, and the next request goes on where this one ended. */
export function interrupted(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  return new DomainError('ERR_PACK_REQUEST_INVALID', 'the body ended before its end', { cause });
}
