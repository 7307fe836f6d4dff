import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutManifest } from '@packs/contracts';
import { aBlob, PushingSpec, type Answer, type Replica } from './pushing.fixture';

jest.setTimeout(30_000);

const MIB = 1024 * 1024;
const UPLOADS = '/v2/acme/app/blobs/uploads/';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const LARGE = Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { filler: 'x'.repeat(3 * MIB) } }));

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

function expectLater({ status, code, headers, bytes }: Answer): void {
  expect([status, code, headers.get('retry-after')]).toEqual([503, 'UNKNOWN', '1']);
  expect(bytes.toString()).toContain('ERR_PACK_UNAVAILABLE');
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
  const kept = async () => ({ files: await files(), records: await spec.count('content.blobs') });
  const putLarge = () => gateway.ask('PUT', '/v2/acme/app/manifests/v1', { 'content-type': MANIFEST }, LARGE);

  it('a push is to be repeated later, and leaves nothing', async () => {
    const { bytes, digest } = aBlob(10 * MIB);
    const answers = [
      await gateway.ask('POST', `${UPLOADS}?digest=${digest}`, {}, bytes),
      await gateway.finish(await gateway.begin(), digest, bytes),
    ];
    for (const refused of answers) expectLater(refused);
    expect(await kept()).toEqual({ files: 0, records: 0 });
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

  it('a manifest is to be put later, leaves nothing and is told to nobody, and is taken when there is room again', async () => {
    execFileSync('mount', ['-o', 'remount,size=12m', folder]);
    gateway.commands.answer(PutManifest, ({ manifest: { digest, objectKey } }) => ({
      ...{ digest, objectKey },
      subject: null,
      state: 'stored' as const,
      version: null,
    }));
    const before = await kept();
    for (const refused of [await putLarge(), await putLarge()]) expectLater(refused);
    expect([await kept(), gateway.commands.sent]).toEqual([before, []]);
    execFileSync('mount', ['-o', 'remount,size=32m', folder]);
    expect((await putLarge()).status).toBe(201);
    // The record is the publisher's.
    expect(await kept()).toEqual({ ...before, files: before.files + 1 });
    expect(gateway.commands.sent).toHaveLength(1);
  });
});
