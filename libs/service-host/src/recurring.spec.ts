import { createLogger } from '@packs/observability';
import { Recurring } from './recurring';

const MINUTE = 60_000;
const logger = createLogger('recurring', 'silent');

describe('Recurring', () => {
  let turns: number;
  let fate: () => Promise<number>;
  let recurring: Recurring;
  let signal: AbortSignal | undefined;
  beforeEach(() => {
    jest.useFakeTimers();
    turns = 0;
    fate = () => Promise.resolve(0);
    const turn = (given: AbortSignal): Promise<number> => {
      turns += 1;
      signal = given;
      return fate();
    };
    recurring = new Recurring('upkeep', turn, logger);
  });
  afterEach(async () => {
    await recurring.drain();
    jest.useRealTimers();
  });
  const settle = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('takes a turn at the start, and again each minute', async () => {
    recurring.start();
    await settle();
    expect(turns).toBe(1);
    await settle(MINUTE - 1);
    expect(turns).toBe(1);
    await settle(1);
    expect(turns).toBe(2);
  });

  it('goes on after a turn that failed', async () => {
    fate = () => Promise.reject(new Error('the database is away'));
    recurring.start();
    await settle(MINUTE);
    expect(turns).toBe(2);
  });

  it('counts the minute from the end of a turn: none begins while one is under way', async () => {
    const under = Promise.withResolvers<number>();
    fate = () => under.promise;
    recurring.start();
    await settle(3 * MINUTE);
    expect(turns).toBe(1);
    under.resolve(0);
    await settle(MINUTE);
    expect(turns).toBe(2);
  });

  it('waits for what is under way when it is drained, tells it, and takes no further turn', async () => {
    const under = Promise.withResolvers<number>();
    fate = () => under.promise;
    recurring.start();
    let drained = false;
    const draining = recurring.drain().then(() => (drained = true));
    await settle();
    expect([drained, signal?.aborted]).toEqual([false, true]);
    under.resolve(0);
    await draining;
    await settle(2 * MINUTE);
    expect(turns).toBe(1);
  });
});
