import { Readable } from 'node:stream';
import { Memory } from '../testing/run-cli';
import type { CliContext } from './cli-context';
import { Progress } from './progress';

async function shown(options: { isTTY?: boolean; wanted?: boolean; start?: number }): Promise<string> {
  const stderr = Object.assign(new Memory(), { isTTY: options.isTTY });
  const context: CliContext = { stdout: new Memory(), stderr, stdin: Readable.from([]), env: {}, now: Date.now };
  const progress = Progress.of(context, 'pushing', { total: 1000, ...options });
  const chunks = Array.from({ length: (1000 - (options.start ?? 0)) / 10 }, () => Buffer.alloc(10));
  for await (const chunk of progress.count(Readable.from(chunks) as AsyncIterable<Buffer>)) expect(chunk).toHaveLength(10);
  return stderr.text;
}

describe('Progress', () => {
  it('is silent where nobody looks', async () => {
    expect(await shown({})).toBe('');
  });

  it('writes a line for every tenth when asked to', async () => {
    const lines = (await shown({ wanted: true })).trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('pushing 100% of 0.0 MiB');
  });

  it('redraws one line on a terminal, from where the transfer goes on', async () => {
    const text = await shown({ isTTY: true, start: 500 });
    expect(text).toMatch(/^\rpushing 51%/);
    expect(text).toMatch(/\rpushing 100% of 0.0 MiB\n$/);
  });
});
