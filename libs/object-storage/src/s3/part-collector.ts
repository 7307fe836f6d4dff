const FIRST_BYTES = 64 * 1024;

/**
 * Cuts bytes into parts of one size. A full part is sent while the next one fills, so that two of them are in memory at most; it is sent only
 * when more bytes come, so that the rest is never empty unless everything is.
 */
export class PartCollector {
  private part = Buffer.alloc(0);
  private filled = 0;
  /** The part on its way, to be filled again when it has arrived. */
  private other: Buffer<ArrayBuffer> | undefined;
  private sending: Promise<{ readonly failure: unknown } | undefined> = Promise.resolve(undefined);

  constructor(
    private readonly partBytes: number,
    private readonly send: (part: Buffer) => Promise<void>,
  ) {}

  async take(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length;) {
      if (this.filled === this.partBytes) await this.sendFull();
      const bytes = chunk.subarray(taken, taken + this.partBytes - this.filled);
      this.makeRoom(this.filled + bytes.length);
      this.part.set(bytes, this.filled);
      this.filled += bytes.length;
      taken += bytes.length;
    }
  }

  /** What is behind the last part that was sent, all of which have arrived. */
  async rest(): Promise<Buffer> {
    await this.sent();
    return this.part.subarray(0, this.filled);
  }

  /** Waits for the part on its way, whatever becomes of it. */
  async settle(): Promise<void> {
    await this.sending;
  }

  private async sendFull(): Promise<void> {
    await this.sent();
    const full = this.part;
    this.sending = this.send(full).then(
      () => undefined,
      (failure: unknown) => ({ failure }),
    );
    this.part = this.other ?? Buffer.allocUnsafe(this.partBytes);
    this.other = full;
    this.filled = 0;
  }

  private async sent(): Promise<void> {
    const outcome = await this.sending;
    if (outcome) throw outcome.failure;
  }

  private makeRoom(bytes: number): void {
    if (bytes <= this.part.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.partBytes, Math.max(bytes, 2 * this.part.length, FIRST_BYTES)));
    larger.set(this.part.subarray(0, this.filled));
    this.part = larger;
  }
}
