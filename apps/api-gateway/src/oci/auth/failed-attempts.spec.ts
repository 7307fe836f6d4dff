import { FixedClock } from '@packs/testing';
import { FailedAttempts } from './failed-attempts';

describe('FailedAttempts', () => {
  const clock = new FixedClock();
  const isAdmitted = (attempts: FailedAttempts, address: string, clientId = `client of ${address}`): boolean => {
    try {
      attempts.admit(address, clientId);
      return true;
    } catch {
      return false;
    }
  };
  const fail = (attempts: FailedAttempts, address: string, times: number): void => {
    for (let at = 0; at < times; at++) attempts.failed(address, `client of ${address}`);
  };

  it('stops an address at its thirtieth failure within a minute', () => {
    const attempts = new FailedAttempts(clock);
    fail(attempts, 'a', 29);
    expect(isAdmitted(attempts, 'a')).toBe(true);
    fail(attempts, 'a', 1);
    expect([isAdmitted(attempts, 'a'), isAdmitted(attempts, 'b')]).toEqual([false, true]);
    clock.advance(59_999);
    expect(isAdmitted(attempts, 'a')).toBe(false);
    clock.advance(1);
    expect(isAdmitted(attempts, 'a')).toBe(true);
    fail(attempts, 'a', 1);
    expect(isAdmitted(attempts, 'a')).toBe(true);
  });

  it('remembers ten thousand addresses, and of more those that failed last', () => {
    const attempts = new FailedAttempts(clock);
    fail(attempts, 'early', 30);
    fail(attempts, 'early but again', 29);
    for (let at = 0; at < 9_998; at++) fail(attempts, `address ${at}`, 1);
    fail(attempts, 'early but again', 1);
    expect([isAdmitted(attempts, 'early'), isAdmitted(attempts, 'early but again')]).toEqual([false, false]);
    fail(attempts, 'one more', 1);
    expect([isAdmitted(attempts, 'early'), isAdmitted(attempts, 'early but again')]).toEqual([true, false]);
  });

  describe('of one client, from many addresses', () => {
    /** No address fails often enough to be stopped itself. */
    const guess = (attempts: FailedAttempts, clientId: string, times: number): void => {
      for (let at = 0; at < times; at++) attempts.failed(`192.0.2.${at}`, clientId);
    };

    it('stop guesses at it from anywhere at the hundredth within a minute, and at no other', () => {
      const attempts = new FailedAttempts(clock);
      guess(attempts, 'ci', 99);
      expect(isAdmitted(attempts, 'new', 'ci')).toBe(true);
      guess(attempts, 'ci', 1);
      expect([isAdmitted(attempts, 'new', 'ci'), isAdmitted(attempts, '192.0.2.0', 'ci')]).toEqual([false, false]);
      expect(isAdmitted(attempts, 'new', 'other')).toBe(true);
      clock.advance(60_000);
      expect(isAdmitted(attempts, 'new', 'ci')).toBe(true);
    });

    it('do not keep it out of where it came from within a day', () => {
      const attempts = new FailedAttempts(clock);
      attempts.succeeded('home', 'ci');
      clock.advance(24 * 3_600_000 - 1);
      guess(attempts, 'ci', 100);
      expect([isAdmitted(attempts, 'home', 'ci'), isAdmitted(attempts, 'new', 'ci')]).toEqual([true, false]);
      clock.advance(1);
      expect(isAdmitted(attempts, 'home', 'ci')).toBe(false);
    });

    it('stop also where another client is at home', () => {
      const attempts = new FailedAttempts(clock);
      attempts.succeeded('home', 'another');
      guess(attempts, 'ci', 100);
      expect(isAdmitted(attempts, 'home', 'ci')).toBe(false);
    });

    it('do not lift the limit of an address where it is at home', () => {
      const attempts = new FailedAttempts(clock);
      attempts.succeeded('home', 'ci');
      for (let at = 0; at < 30; at++) attempts.failed('home', 'ci');
      expect(isAdmitted(attempts, 'home', 'ci')).toBe(false);
    });
  });
});
