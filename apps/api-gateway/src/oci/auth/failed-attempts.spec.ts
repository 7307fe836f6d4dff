import { FixedClock } from '@packs/testing';
import { FailedAttempts } from './failed-attempts';

describe('FailedAttempts', () => {
  const clock = new FixedClock();
  const isAdmitted = (attempts: FailedAttempts, address: string): boolean => {
    try {
      attempts.admit(address);
      return true;
    } catch {
      return false;
    }
  };
  const fail = (attempts: FailedAttempts, address: string, times: number): void => {
    for (let at = 0; at < times; at++) attempts.failed(address);
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
});
