import type { ReadChange } from '@packs/ports';
import { ScriptedReadChanges, turns } from './kept-answers.fixture';
import type { ReadBarrier } from './read-barrier';

const MOVED: ReadChange = { tenant: 'acme', repository: 'app', reference: 'latest' };

describe('ReadBarrier', () => {
  let changes: ScriptedReadChanges;
  let barrier: ReadBarrier;
  let told: (ReadChange | 'everything')[];
  beforeEach(async () => {
    changes = new ScriptedReadChanges();
    barrier = changes.barrier();
    told = [];
    barrier.tell({ forget: all => told.push(...all), forgetAll: () => told.push('everything') });
    barrier.watches();
    await turns();
  });
  afterEach(() => {
    barrier.close();
    jest.useRealTimers();
  });

  /** Says when somebody who comes now has passed. */
  function passing(): { passed: boolean } {
    const one = { passed: false };
    void barrier.pass().then(() => (one.passed = true));
    return one;
  }

  it('watches from the first time it is asked', async () => {
    const other = new ScriptedReadChanges();
    const late = other.barrier();
    expect(other.opened).toBe(0);
    expect(late.watches()).toBe(false);
    await turns();
    expect([late.watches(), other.opened]).toEqual([true, 1]);
    late.close();
    expect([late.watches(), other.closed]).toEqual([false, 1]);
  });

  it('lets those pass together who came in one turn, after one look', async () => {
    const all = [passing(), passing(), passing()];
    await turns();
    expect([changes.looks.length, all.some(({ passed }) => passed)]).toEqual([1, false]);
    await changes.last.find();
    expect(all.every(({ passed }) => passed)).toBe(true);
  });

  it('lets nobody pass by a look that had begun before', async () => {
    const early = passing();
    await turns();
    const late = [passing(), passing()];
    await turns();
    expect(changes.looks).toHaveLength(1);
    await changes.last.find();
    expect([early.passed, late[0]?.passed, changes.looks.length]).toEqual([true, false, 2]);
    await changes.last.find();
    expect(late.every(({ passed }) => passed)).toBe(true);
    expect(changes.looks).toHaveLength(2);
  });

  it('tells of changes before anybody passes', async () => {
    let toldAtPassing: unknown;
    void barrier.pass().then(() => (toldAtPassing = [...told]));
    await turns();
    await changes.last.find(MOVED);
    expect(toldAtPassing).toEqual([MOVED]);
  });

  it('has everything forgotten before anybody passes when a look fails, and watches anew a little later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    let toldAtPassing: unknown;
    void barrier.pass().then(() => (toldAtPassing = [...told]));
    await turns();
    await changes.last.fail();
    expect([toldAtPassing, barrier.watches(), changes.closed]).toEqual([['everything'], false, 1]);
    await turns();
    expect([barrier.watches(), changes.opened]).toEqual([false, 1]);
    jest.advanceTimersByTime(1_000);
    barrier.watches();
    await turns();
    expect([barrier.watches(), changes.opened]).toEqual([true, 2]);
  });

  it('lets pass without a look where nothing is watched', async () => {
    changes.refuses = true;
    const other = changes.barrier();
    await other.pass();
    expect([other.watches(), changes.looks.length]).toEqual([false, 0]);
    other.close();
  });
});
