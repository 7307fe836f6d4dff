import { distance } from './isolation';

describe('distance', () => {
  it('is none between equal distributions, whatever their order and number', () => {
    expect(distance([3, 1, 2], [1, 1, 2, 2, 3, 3])).toBe(0);
  });

  it('is whole between those that do not meet', () => {
    expect(distance([1, 2], [5, 6, 7])).toBe(1);
    expect(distance([5, 6, 7], [1, 2])).toBe(1);
  });

  it('is the largest difference of their shares', () => {
    expect(distance([1, 2, 3, 4], [3, 4, 5, 6])).toBe(0.5);
    expect(distance([1, 1, 1, 2], [1, 2, 2, 2])).toBe(0.5);
  });
});
