import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BlockReceiver } from '@packs/ports';
import type { FastifyReply } from 'fastify';

/** The client went away, or was cut. */
export class ClientGone extends Error {
  constructor() {
    super('the client is gone');
  }
}

/**
 * An answer written block by block, past Fastify: what is written is not copied, and the next block comes when the last has left for the kernel.
 * Its head leaves with the first block, so that who has none yet can still answer with an error.
 */
export class BlockAnswer implements BlockReceiver {
  private readonly raw: ServerResponse;
  private readonly socket: Socket;
  private isOver = false;
  /** Whether it was cut, and did not end by itself. */
  isCut = false;
  private left: number;
  /** Ends what is waited for. */
  private fail: ((error: ClientGone) => void) | undefined;

  constructor(
    private readonly reply: FastifyReply,
    private readonly head: { readonly status: number; readonly length: number; readonly headers: OutgoingHttpHeaders },
  ) {
    this.raw = reply.raw;
    this.left = head.length;
    this.socket = reply.request.raw.socket;
    // Not every write that is under way when a connection ends is told of it, nor is an answer whose turn never came.
    this.socket.once('close', this.gone);
  }

  /** Whether it is too late for another answer. */
  get isBegun(): boolean {
    return this.raw.headersSent;
  }

  /** Waits until the answers to the requests that this connection sent before have ended. */
  turn(): Promise<void> {
    if (this.raw.socket) return Promise.resolve();
    return this.unlessGone(resolve => void this.raw.once('socket', () => resolve()));
  }

  /** The last block ends the answer. */
  take(block: Uint8Array): Promise<void> {
    if (!this.isBegun) this.begin();
    this.left -= block.length;
    return this.unlessGone((resolve, reject) => {
      if (this.left === 0) this.raw.end(block, resolve);
      else this.raw.write(block, error => (error ? reject(error) : resolve()));
    });
  }

  cut(): void {
    this.isCut = true;
    this.reply.hijack();
    this.raw.destroy();
  }

  /** It is not written any more, whatever became of it. */
  close(): void {
    this.socket.off('close', this.gone);
  }

  private begin(): void {
    this.reply.hijack();
    const { status, length, headers } = this.head;
    this.raw.writeHead(status, { ...(this.reply.getHeaders() as OutgoingHttpHeaders), ...headers, 'content-length': length });
  }

  private unlessGone(work: (resolve: () => void, reject: (error: Error) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.isOver || this.socket.destroyed) return reject(new ClientGone());
      this.fail = reject;
      work(resolve, reject);
    });
  }

  private readonly gone = (): void => {
    this.isOver = true;
    this.fail?.(new ClientGone());
  };
}
