import { overlap } from './mirror-settings';

describe('overlap', () => {
  it.each([
    ['sites/north', 'sites/north'],
    ['sites', 'sites/north'],
    ['sites/north/deep', 'sites'],
  ])('is there between %s and %s', (a, b) => expect(overlap(a, b)).toBe(true));

  it.each([
    ['sites/north', 'sites/south'],
    ['site', 'sites'],
    ['sites-2', 'sites'],
  ])('is not there between %s and %s', (a, b) => expect(overlap(a, b)).toBe(false));
});
