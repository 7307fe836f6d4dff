import { createLogger } from '@packs/observability';
import { WorkLoop, type Work } from './work-loop';

const logger = createLogger('work-loop', 'silent');

describe('WorkLoop', () => {
  let waiting: string[];
  let done: string[];
  let owners: string[];
  let loop: WorkLoop<string>;
  beforeEach(() => {
    jest.useFakeTimers();
    [waiting, done, owners] = [[], [], []];
  });
  afterEach(async () => {
    await loop.drain();
    jest.useRealTimers();
  });

  function begin(changes: Partial<Work<string>> = {}): void {
    const work: Work<string> = {
      queue: 'jobs',
      width: 1,
      claim: owner => {
        owners.push(owner);
        return Promise.resolve(waiting.shift());
      },
      execute: job => Promise.resolve(void done.push(job)),
      stop: () => undefined,
      ...changes,
    };
    loop = new WorkLoop(work, logger);
    loop.start();
  }
  const settle = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('takes one job after another, each as a new owner', async () => {
    waiting = ['one', 'two'];
    begin();
    await settle();
    expect(done).toEqual(['one', 'two']);
    expect(new Set(owners).size).toBe(3);
  });

  it('finds a job at once when it is woken, and otherwise by looking again', async () => {
    begin();
    await settle();
    waiting.push('announced');
    loop.wake();
    await settle();
    expect(done).toEqual(['announced']);
    waiting.push('unannounced');
    await settle(499);
    expect(done).toHaveLength(1);
    await settle(1);
    expect(done).toEqual(['announced', 'unannounced']);
  });

  it('works on as many jobs at a time as it is wide', async () => {
    const under = { way: 0, most: 0 };
    waiting = ['one', 'two', 'three'];
    begin({
      width: 2,
      execute: async () => {
        under.most = Math.max(under.most, ++under.way);
        await new Promise(resolve => setTimeout(resolve, 10));
        under.way -= 1;
      },
    });
    await settle(30);
    expect(under).toEqual({ way: 0, most: 2 });
  });

  it('goes on when the queue could not be read', async () => {
    let lost = true;
    begin({ claim: () => (lost ? Promise.reject(new Error('connection lost')) : Promise.resolve(waiting.shift())) });
    await settle();
    lost = false;
    waiting.push('later');
    await settle(500);
    expect(done).toEqual(['later']);
  });

  it('looks for what is due each second, and begins with it at once', async () => {
    let ticks = 0;
    begin({
      tick: () => {
        ticks += 1;
        if (ticks === 2) waiting.push('due');
        return ticks === 1 ? Promise.reject(new Error('connection lost')) : Promise.resolve(ticks === 2);
      },
    });
    await settle(1_000);
    expect([ticks, done]).toEqual([2, ['due']]);
  });

  it('gives back what is at hand when it is drained, and takes nothing more', async () => {
    const given = Promise.withResolvers<void>();
    waiting = ['at hand', 'left'];
    begin({ execute: () => given.promise, stop: () => given.resolve() });
    await settle();
    await loop.drain();
    expect(waiting).toEqual(['left']);
  });
});
