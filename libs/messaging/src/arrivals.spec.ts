import { arrivals } from './arrivals';

/** Hands out what it is given, then ends or fails. */
class Source {
  private readonly items: number[] = [];
  private over: { readonly error?: Error } | undefined;
  private wake = (): void => undefined;

  give(...items: number[]): void {
    this.items.push(...items);
    this.wake();
  }

  end(error?: Error): void {
    this.over = { error };
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    for (;;) {
      const item = this.items.shift();
      if (item !== undefined) yield item;
      else if (this.over?.error) throw this.over.error;
      else if (this.over) return;
      else await new Promise<void>(resolve => (this.wake = resolve));
    }
  }
}

describe('arrivals', () => {
  it('come at once when nothing else has, and together when they wait', async () => {
    const source = new Source();
    const lists = arrivals(source);
    source.give(1);
    expect(await lists.next()).toEqual({ done: false, value: [1] });
    source.give(2, 3, 4);
    await new Promise(setImmediate);
    expect(await lists.next()).toEqual({ done: false, value: [2, 3, 4] });
    const next = lists.next();
    source.give(5);
    expect(await next).toEqual({ done: false, value: [5] });
    source.end();
    expect(await lists.next()).toEqual({ done: true, value: undefined });
  });

  it('that came before the source failed are handed on first', async () => {
    const source = new Source();
    const lists = arrivals(source);
    const first = lists.next();
    source.give(1);
    await first;
    source.give(2);
    source.end(new Error('the stream is gone'));
    await new Promise(setImmediate);
    expect(await lists.next()).toEqual({ done: false, value: [2] });
    await expect(lists.next()).rejects.toThrow('the stream is gone');
  });
});
