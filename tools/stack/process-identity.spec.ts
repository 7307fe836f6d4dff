import { identify, isRunning } from './process-identity';

describe('process identity', () => {
  it('tells who a running process is', () => {
    const self = identify(process.pid);
    expect(self).toMatchObject({ pid: process.pid, command: expect.stringContaining('node') });
    expect(self && isRunning(self)).toBe(true);
  });

  it('knows nobody under a pid that is not in use', () => {
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });

  it('takes a pid that was given to another process for gone', () => {
    const before = { pid: 7, started: 'boot:1', command: 'postgres' };
    expect(isRunning(before, pid => ({ pid, started: 'boot:2', command: 'postgres' }))).toBe(false);
  });
});
