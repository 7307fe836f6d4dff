/** One attempt at a job: how far it is, and whether it has to end. */
export class KitRun {
  private passed = 0;
  private whole = 0;

  constructor(private readonly signal: () => AbortSignal | undefined) {}

  /** Starts counting anew. */
  begin(total: number): void {
    this.passed = 0;
    this.whole = total;
  }

  get progress(): { readonly done: number; readonly total: number } {
    return { done: Math.min(this.passed, this.whole), total: this.whole };
  }

  /** @throws the reason why the attempt has to end */
  check(): void {
    this.signal()?.throwIfAborted();
  }

  async *count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.check();
      yield chunk;
      this.passed += chunk.byteLength;
    }
  }
}
