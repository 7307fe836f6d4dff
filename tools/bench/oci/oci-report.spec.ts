import { againstGoal } from './oci-report';

describe('againstGoal', () => {
  it.each([
    ['won', [25, 30, 26], [10, 11, 12], 2],
    ['lost', [15, 17, 16], [10, 11, 12], 2],
    ['even', [21, 24, 30], [10, 11, 12], 2],
  ] as const)('is %s for %j a second against %j and at least %i times as many', (verdict, ours, theirs, goal) => {
    expect(againstGoal(ours, theirs, goal, false)).toBe(verdict);
  });

  it.each([
    ['won', [3, 3.5, 3.9], [10, 11, 12], 0.4],
    ['lost', [5, 6, 7], [10, 11, 12], 0.4],
    ['even', [3, 4, 5], [10, 11, 12], 0.4],
  ] as const)('is %s for times of %j against %j and at most %d of them', (verdict, ours, theirs, goal) => {
    expect(againstGoal(ours, theirs, goal, true)).toBe(verdict);
  });
});
