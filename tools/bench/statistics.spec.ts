import { percentile, scaled, spreadOf, verdictOf } from './statistics';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);

  it('is the nearest rank, whatever the order of the values', () => {
    expect([0.5, 0.95, 0.99, 1].map(share => percentile(hundred, share))).toEqual([50, 95, 99, 100]);
  });

  it('of few values is one of them', () => {
    expect([0, 0.5, 0.51, 0.99].map(share => percentile([7, 3], share))).toEqual([3, 3, 7, 7]);
    expect(percentile([5], 0.5)).toBe(5);
  });

  it('of nothing is an error, not a zero', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

describe('spreadOf', () => {
  it('has the middle value of an odd number of rounds and the mean of the two middle ones of an even number', () => {
    expect(spreadOf([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 });
    expect(spreadOf([8, 1, 4, 2])).toEqual({ median: 3, min: 1, max: 8 });
  });

  it('of no round is an error', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('verdictOf', () => {
  const bound = spreadOf([10, 11, 12]);

  it.each([
    ['won', [7, 8, 9.9]],
    ['lost', [12.1, 13, 20]],
    ['even', [8, 9, 10]],
    ['even', [12, 13, 14]],
    ['even', [5, 11, 30]],
    ['even', [10.5, 11, 11.5]],
  ] as const)('is %s for rounds of %j against 10 to 12', (verdict, rounds) => {
    expect(verdictOf(spreadOf(rounds), bound)).toBe(verdict);
  });

  it('holds a goal given as a factor against the other side times that factor', () => {
    const other = spreadOf([10, 10.5, 11]);
    expect(verdictOf(spreadOf([6, 6.5, 6.9]), scaled(other, 0.7))).toBe('won');
    expect(verdictOf(spreadOf([6, 6.5, 7]), scaled(other, 0.7))).toBe('even');
    expect(verdictOf(spreadOf([7.8, 8, 9]), scaled(other, 0.7))).toBe('lost');
  });
});
