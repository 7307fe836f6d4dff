import { BlockPool } from './block-pool';

const NEVER = (): void => undefined;

describe('BlockPool', () => {
  const poolOf = (most: number, patienceMs = 60_000) => new BlockPool({ most, patienceMs });

  it('lends no more blocks than it may, and the next to whoever waits longest', async () => {
    const pool = poolOf(2);
    const [first, second] = [await pool.lend(NEVER), await pool.lend(NEVER)];
    const order: string[] = [];
    const waiter = async (name: string) => {
      const block = await pool.lend(NEVER);
      order.push(name);
      return block;
    };
    const waiting = [waiter('a'), waiter('b'), waiter('c')];
    expect(pool.counts).toMatchObject({ lent: 2, waiting: 3 });
    second.release();
    const a = await waiting[0];
    expect([order, pool.counts.waiting]).toEqual([['a'], 2]);
    // Who comes now finds others before him.
    waiting.push(waiter('d'));
    first.release();
    a?.release();
    await Promise.all(waiting.slice(1, 3));
    expect(order).toEqual(['a', 'b', 'c']);
    expect(pool.counts).toMatchObject({ lent: 2, mostLent: 2, made: 2, waiting: 1 });
  });

  it('gives nobody a block that another has', async () => {
    const pool = poolOf(3);
    const held = new Set<Buffer>();
    const user = async (turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn++) {
        const lent = await pool.lend(NEVER);
        expect(held.has(lent.bytes)).toBe(false);
        held.add(lent.bytes);
        await new Promise(setImmediate);
        held.delete(lent.bytes);
        lent.release();
        // Whoever says it twice takes nobody's block away.
        lent.release();
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, at) => user(20 + at)));
    expect(pool.counts).toEqual({ lent: 0, mostLent: 3, waiting: 0, made: 3 });
  });

  it('tells who holds a block for long that others wait, until it is given back, and nobody while none waits', async () => {
    jest.useFakeTimers();
    try {
      const pool = poolOf(2, 100);
      const told: string[] = [];
      const first = await pool.lend(() => told.push('a'));
      await jest.advanceTimersByTimeAsync(150);
      await pool.lend(() => told.push('b'));
      const third = pool.lend(() => told.push('c'));
      await jest.advanceTimersByTimeAsync(50);
      expect(told).toEqual([]);
      await jest.advanceTimersByTimeAsync(1_000);
      // Who could do nothing when told first, since its block was only being filled, is told again.
      expect(told.slice(0, 4)).toEqual(['a', 'b', 'a', 'b']);
      first.release();
      await third;
      const before = told.length;
      await jest.advanceTimersByTimeAsync(1_000);
      expect([told.length, pool.counts.waiting]).toEqual([before, 0]);
    } finally {
      jest.useRealTimers();
    }
  });
});
