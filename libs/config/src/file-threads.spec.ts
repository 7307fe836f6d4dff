import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const itOnLinux = existsSync('/proc/self/task') ? it : it.skip;
const SCRIPT = `
  const { reserveFileThreads } = require(${JSON.stringify(join(__dirname, 'file-threads.ts'))});
  reserveFileThreads();
  const { readdirSync, readFileSync, promises } = require('node:fs');
  const names = () => readdirSync('/proc/self/task').map(id => readFileSync('/proc/self/task/' + id + '/comm', 'latin1').trim());
  const before = names().length;
  Promise.all(Array.from({ length: 64 }, () => promises.stat('/'))).then(() => process.stdout.write(String(names().length - before)));`;

/** The threads for file operations that a process gets. */
function threadsOf(env: Record<string, string>): number {
  const typescript = join(__dirname, '..', '..', '..', 'tools', 'testing', 'typescript.cjs');
  const args = ['--require', typescript, '--eval', SCRIPT];
  return Number(execFileSync(process.execPath, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, encoding: 'utf8' }));
}

describe('reserveFileThreads', () => {
  itOnLinux('gives a process sixteen, or as many as it was started with', () => {
    expect([threadsOf({}), threadsOf({ UV_THREADPOOL_SIZE: '7' })]).toEqual([16, 7]);
  });
});
