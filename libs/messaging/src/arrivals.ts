/** What has arrived since the last look, as one list: never empty, in order, and nobody waits for a list to fill. */
export async function* arrivals<T>(source: AsyncIterable<T>): AsyncGenerator<T[], void> {
  const waiting: T[] = [];
  let ended = false;
  let wake = (): void => undefined;
  const read = async (): Promise<void> => {
    try {
      for await (const item of source) {
        waiting.push(item);
        wake();
      }
    } finally {
      ended = true;
      wake();
    }
  };
  const reading = read();
  // Its failure is thrown below, behind what arrived before it.
  reading.catch(() => undefined);
  for (;;) {
    if (waiting.length > 0) yield waiting.splice(0);
    else if (ended) return reading;
    else await new Promise<void>(resolve => (wake = resolve));
  }
}
