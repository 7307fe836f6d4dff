let last: Promise<void> = Promise.resolve();

/**
 * Resolves when it is this caller's turn: one of all callers in each turn of the event loop, in the order in which they came. What takes its time on the
 * one thread that everybody is answered by is begun with this, so that no two of them follow each other without anybody else between them.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => new Promise<void>(resolve => setImmediate(resolve)));
  return last;
}
