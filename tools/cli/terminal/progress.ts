import type { CliContext } from './cli-context';

/** Shows on stderr how far a transfer is. */
export class Progress {
  private done: number;
  private shown = -1;

  private constructor(
    private readonly write: (percent: number) => void,
    private readonly total: number,
    start: number,
  ) {
    this.done = start;
  }

  /** Silent unless stderr is a terminal or `wanted`. */
  static of(
    context: CliContext,
    label: string,
    options: { readonly total: number; readonly start?: number; readonly wanted?: boolean },
  ): Progress {
    const { total, start = 0, wanted = false } = options;
    const { stderr } = context;
    const line = (percent: number): string => `${label} ${percent}% of ${(total / 2 ** 20).toFixed(1)} MiB`;
    if (stderr.isTTY) return new Progress(percent => stderr.write(`\r${line(percent)}${percent === 100 ? '\n' : ''}`), total, start);
    // A log gets a line for every tenth.
    return new Progress(wanted ? tenths(percent => stderr.write(`${line(percent)}\n`)) : () => undefined, total, start);
  }

  add(bytes: number): void {
    this.done += bytes;
    const percent = this.total === 0 ? 100 : Math.floor((this.done / this.total) * 100);
    if (percent === this.shown) return;
    this.shown = percent;
    this.write(percent);
  }

  /** Passes `source` on and counts it. */
  async *count<T extends Uint8Array>(source: AsyncIterable<T>): AsyncGenerator<T, void> {
    for await (const chunk of source) {
      yield chunk;
      this.add(chunk.byteLength);
    }
  }
}

function tenths(write: (percent: number) => void): (percent: number) => void {
  let last = -1;
  return percent => {
    const tenth = Math.floor(percent / 10);
    if (tenth !== last) write(percent);
    last = tenth;
  };
}
