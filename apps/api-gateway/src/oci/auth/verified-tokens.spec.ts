import { FixedClock } from '@packs/testing';
import { VerifiedTokens } from './verified-tokens';

describe('VerifiedTokens', () => {
  const clock = new FixedClock();
  const untilMs = clock.now().getTime() + 1_000;

  it('makes room by the token that was used longest ago', () => {
    const tokens = new VerifiedTokens<number>(clock, 2);
    tokens.put('one', 1, untilMs);
    tokens.put('two', 2, untilMs);
    expect(tokens.get('one')).toBe(1);
    tokens.put('three', 3, untilMs);
    expect(['one', 'two', 'three'].map(token => tokens.get(token))).toEqual([1, undefined, 3]);
  });

  it('gives nothing of a token that ended', () => {
    const tokens = new VerifiedTokens<number>(clock, 2);
    tokens.put('one', 1, clock.now().getTime());
    expect(tokens.get('one')).toBeUndefined();
  });
});
