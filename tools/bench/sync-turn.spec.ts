import { covers } from './sync-turn';

describe('a sync covers a turn', () => {
  const from = Date.parse('2026-01-17T08:00:10.000Z');
  const sync = { startedAt: '2026-01-17T08:00:09.000Z', finishedAt: '2026-01-17T08:00:20.000Z' };

  it.each([
    ['when it began before it and ended after it', from, 5, true],
    ['up to its last moment', from, 10, true],
    ['not when it ended first', from, 10.1, false],
    ['not when it began later', from - 1_001, 5, false],
  ])('%s', (_, begun, seconds, covered) => {
    expect(covers(sync, { from: begun, seconds })).toBe(covered);
  });

  it('never while it has not ended', () => {
    expect(covers({ ...sync, finishedAt: null }, { from, seconds: 1 })).toBe(false);
    expect(covers({ ...sync, startedAt: null }, { from, seconds: 1 })).toBe(false);
  });
});
