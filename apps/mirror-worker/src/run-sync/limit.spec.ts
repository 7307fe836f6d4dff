import { allSettled, Limit } from './limit';

describe('Limit', () => {
  it('lets so many run at a time and no more, in the order in which they came', async () => {
    const limit = new Limit(2);
    const started: number[] = [];
    const release: (() => void)[] = [];
    const all = [0, 1, 2, 3].map(n =>
      limit.run(() => {
        started.push(n);
        return new Promise<void>(resolve => release.push(resolve));
      }),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    release[1]?.();
    await all[1];
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2]);
    release[0]?.();
    await all[0];
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2, 3]);
    release.forEach(one => one());
    await Promise.all(all);
  });

  it('frees the place of work that failed', async () => {
    const limit = new Limit(1);
    await expect(limit.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(limit.run(() => Promise.resolve('yes'))).resolves.toBe('yes');
  });
});

describe('allSettled', () => {
  it('fails only when nothing is under way any more', async () => {
    let done = false;
    const slow = Promise.resolve()
      .then(() => undefined)
      .then(() => undefined)
      .then(() => (done = true));
    await expect(allSettled([Promise.reject(new Error('early')), slow])).rejects.toThrow('early');
    expect(done).toBe(true);
  });
});
