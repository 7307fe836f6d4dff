import type { IncomingMessage } from 'node:http';

/** Returns a promise when the next piece has to wait. */
export type Take = (piece: Uint8Array) => Promise<void> | undefined;

export interface Poured {
  /** What came with the last piece and goes beyond what was asked for. */
  readonly rest: Buffer | undefined;
  /** There is no more. */
  readonly ended: boolean;
}

/**
 * Gives `take` at most `bytes` of a request, where they arrive: no promise and no copy for each of the thousands of pieces. Afterwards the request
 * is paused, and nobody listens to it.
 * @param first what an earlier turn left
 * @throws whatever `take` or the request fails with
 */
export function pourRequest(raw: IncomingMessage, first: Buffer | undefined, bytes: number, take: Take): Promise<Poured> {
  return new Pouring(raw, bytes, take).begin(first);
}

class Pouring {
  private readonly done = Promise.withResolvers<Poured>();
  private rest: Buffer | undefined;
  private isTaking = false;
  /** How it ends as soon as nothing is being taken. */
  private outcome: (() => void) | undefined;

  constructor(
    private readonly raw: IncomingMessage,
    private left: number,
    private readonly take: Take,
  ) {}

  begin(first: Buffer | undefined): Promise<Poured> {
    const { raw } = this;
    if (first) this.arrive(first);
    if (this.left === 0) this.stop(false);
    else if (raw.readableEnded) this.stop(true);
    else if (raw.destroyed) this.fail(raw.errored ?? new Error('the connection was closed'));
    else {
      raw.on('data', this.arrive).on('end', this.end).on('error', this.fail).on('close', this.close);
      this.goOn();
    }
    return this.done.promise;
  }

  private readonly arrive = (chunk: Buffer): void => {
    const piece = chunk.subarray(0, this.left);
    if (piece.length < chunk.length) this.rest = chunk.subarray(piece.length);
    this.left -= piece.length;
    try {
      const taking = this.take(piece);
      if (taking) this.wait(taking);
      else if (this.left === 0) this.stop(false);
    } catch (error) {
      this.fail(error);
    }
  };

  private wait(taking: Promise<void>): void {
    this.isTaking = true;
    this.raw.pause();
    taking.then(
      () => {
        this.isTaking = false;
        this.goOn();
      },
      (error: unknown) => {
        this.isTaking = false;
        this.outcome = undefined;
        this.fail(error);
      },
    );
  }

  private goOn(): void {
    if (this.isTaking) return;
    if (this.outcome) this.outcome();
    else if (this.left === 0) this.stop(false);
    else this.raw.resume();
  }

  private readonly end = (): void => this.stop(true);
  private readonly close = (): void => this.fail(new Error('the connection was closed'));
  private readonly fail = (error: unknown): void => this.leave(() => this.done.reject(error as Error));

  private stop(ended: boolean): void {
    this.leave(() => this.done.resolve({ rest: this.rest, ended }));
  }

  /** What has been begun to be taken is taken first. */
  private leave(settle: () => void): void {
    this.outcome ??= () => {
      this.raw.off('data', this.arrive).off('end', this.end).off('error', this.fail).off('close', this.close).pause();
      settle();
    };
    if (!this.isTaking) this.outcome();
  }
}
