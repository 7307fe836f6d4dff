import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackLock } from './stack-lock';

describe('StackLock', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lock-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses a second stack while the first one runs, naming it', () => {
    StackLock.take(folder);
    expect(() => StackLock.take(folder)).toThrow(`another stack (process ${process.pid}) already runs on ${folder}`);
  });

  it('can be taken again after its release', () => {
    StackLock.take(folder).release();
    expect(() => StackLock.take(folder)).not.toThrow();
  });

  it.each([
    ['a process that ended', JSON.stringify({ pid: 2 ** 22 + 1, started: 'boot:1', command: 'node main.js' })],
    ['a process whose pid another one has now', JSON.stringify({ pid: process.pid, started: 'boot:1', command: 'node main.js' })],
    ['a write that was cut off', '{"pid":'],
  ])('takes over the lock of %s', (_whose, content) => {
    writeFileSync(join(folder, 'lock'), content);
    StackLock.take(folder).release();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });
});
