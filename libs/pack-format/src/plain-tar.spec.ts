import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@packs/domain';
import { tarBytes, tarSize, type TarFile } from './plain-tar';

const blob = (path: string, text: string, size = text.length): TarFile => ({
  path,
  size,
  digest: sha256(text),
  async *open() {
    for (const letter of text) yield Buffer.from(letter);
  },
});

async function bytesOf(files: readonly TarFile[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of tarBytes(files)) parts.push(part);
  return Buffer.concat(parts);
}

describe('tarBytes', () => {
  const files = [blob('b/long.txt', 'x'.repeat(600)), { path: 'a.txt', bytes: Buffer.from('one') }, blob('b/empty', '')];

  it('is what tar unpacks, and as long as was said', async () => {
    const bytes = await bytesOf(files);
    expect(bytes.length).toBe(tarSize(files));
    const folder = mkdtempSync(join(tmpdir(), 'plain-tar-'));
    writeFileSync(join(folder, 'it.tar'), bytes);
    expect(execFileSync('tar', ['-tf', 'it.tar'], { cwd: folder, encoding: 'utf8' })).toBe('a.txt\nb/empty\nb/long.txt\n');
    execFileSync('tar', ['-xf', 'it.tar'], { cwd: folder });
    expect(readFileSync(join(folder, 'b/long.txt'), 'utf8')).toBe('x'.repeat(600));
    expect(statSync(join(folder, 'a.txt')).mtimeMs).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('is the same whatever order the files are given in', async () => {
    expect((await bytesOf(files.toReversed())).equals(await bytesOf(files))).toBe(true);
  });

  it.each([599, 601])('ends when a blob has not the %i bytes that were said', async size => {
    await expect(bytesOf([blob('a', 'x'.repeat(600), size)])).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });
});
