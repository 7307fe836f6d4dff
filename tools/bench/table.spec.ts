import { shown, shownBytes, shownSpread, table } from './table';

describe('table', () => {
  it('aligns the first column to the left and figures to the right', () => {
    expect(
      table(
        ['what', 'p50'],
        [
          ['publish', '10.5'],
          ['push', '9.25'],
        ],
      ),
    ).toBe(['  what      p50', '  -------  ----', '  publish  10.5', '  push     9.25'].join('\n'));
  });

  it('shows three significant digits', () => {
    expect([1234.5, 123.4, 12.34, 1.234, 0.1234].map(shown)).toEqual(['1235', '123', '12.3', '1.23', '0.123']);
    expect(shownSpread({ median: 10, min: 9.5, max: 120 })).toBe('10.0 (9.50-120)');
    expect([4096, 1024 ** 2].map(shownBytes)).toEqual(['4 KiB', '1 MiB']);
  });
});
