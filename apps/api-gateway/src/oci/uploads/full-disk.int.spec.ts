import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aBlob, PushingSpec, type Replica } from './pushing.fixture';

jest.setTimeout(30_000);

const MIB = 1024 * 1024;
const UPLOADS = '/v2/acme/app/blobs/uploads/';

/** A file system of so many MiB; undefined to whoever may not mount one. */
function smallDisk(mebibytes: number): { folder: string; remove(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'packs-full-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    removeFolder();
    return undefined;
  }
  const remove = (): void => {
    execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' });
    removeFolder();
  };
  return { folder, remove };
}

const disk = smallDisk(8);
afterAll(() => disk?.remove());

(disk ? describe : describe.skip)('on a full disk (needs mount)', () => {
  let spec: PushingSpec;
  let gateway: Replica;
  const folder = disk?.folder ?? '';
  beforeAll(async () => {
    spec = await PushingSpec.open();
    gateway = await spec.replica({ folder });
  });
  afterAll(() => spec.close());

  const files = async () => {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    return found.filter(entry => entry.isFile()).length;
  };

  it('a push is to be repeated later, and leaves nothing', async () => {
    const { bytes, digest } = aBlob(10 * MIB);
    const answers = [
      await gateway.ask('POST', `${UPLOADS}?digest=${digest}`, {}, bytes),
      await gateway.finish(await gateway.begin(), digest, bytes),
    ];
    for (const refused of answers) {
      expect([refused.status, refused.code, refused.headers.get('retry-after')]).toEqual([503, 'UNKNOWN', '1']);
      expect(refused.bytes.toString()).toContain('ERR_PACK_UNAVAILABLE');
    }
    expect(await files()).toBe(0);
    expect(await spec.count('content.blobs')).toBe(0);
  });

  it('an upload keeps what it had, and goes on when there is room again', async () => {
    const filler = aBlob(4 * MIB);
    expect((await gateway.ask('POST', `${UPLOADS}?digest=${filler.digest}`, {}, filler.bytes)).status).toBe(201);
    const blob = aBlob(6 * MIB);
    const path = await gateway.begin();
    expect((await gateway.patch(path, blob.bytes.subarray(0, MIB), 0)).status).toBe(202);
    expect((await gateway.patch(path, blob.bytes.subarray(MIB), MIB)).status).toBe(503);
    expect((await gateway.ask('GET', path)).headers.get('range')).toBe(`0-${MIB - 1}`);
    execFileSync('mount', ['-o', 'remount,size=32m', folder]);
    expect((await gateway.patch(path, blob.bytes.subarray(MIB), MIB)).status).toBe(202);
    expect((await gateway.finish(path, blob.digest)).status).toBe(201);
    const read = await gateway.ask('GET', `/v2/acme/app/blobs/${blob.digest}`);
    expect([read.status, read.bytes.equals(blob.bytes)]).toEqual([200, true]);
    expect(await files()).toBe(2);
  });
});
