import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '@packs/domain';
import { describeBlobStore, InMemoryBlobStore } from '@packs/testing';
import { FileBlobStore } from './file-blob-store';

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packs-blobs-'));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const pathOf = (root: string, key: string): string => join(root, 'objects', key.slice(-1), key);

describeBlobStore('FileBlobStore', async () => {
  const root = await newFolder();
  return {
    store: await FileBlobStore.open(root),
    readable: async () => {
      const found = await readdir(join(root, 'objects'), { recursive: true, withFileTypes: true });
      return found.filter(entry => entry.isFile()).map(entry => entry.name);
    },
    leftovers: () => readdir(join(root, 'tmp')),
    replace: (key, bytes) => (bytes ? writeFile(pathOf(root, key), bytes) : rm(pathOf(root, key))),
    another: () => FileBlobStore.open(root),
    loseUploads: async () => {
      for (const name of await readdir(join(root, 'tmp'))) await rm(join(root, 'tmp', name));
    },
    close: async () => {},
  };
});

describeBlobStore('InMemoryBlobStore', async () => {
  const store = new InMemoryBlobStore();
  return {
    store,
    readable: async () => [...store.objects.keys()],
    leftovers: async () => [...store.uploads.keys()],
    replace: async (key, bytes) => void (bytes ? store.objects.set(key, bytes) : store.objects.delete(key)),
    another: async () => store,
    loseUploads: async () => store.uploads.clear(),
    close: async () => {},
  };
});

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

describe('FileBlobStore on disk', () => {
  it('finds again what an earlier process wrote', async () => {
    const root = await newFolder();
    const blob = await (await FileBlobStore.open(root)).write(once('kept'), { maxBytes: 10 });
    const parts: Uint8Array[] = [];
    for await (const part of (await FileBlobStore.open(root)).read(blob)) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('kept');
  });

  it('lets nobody but owner and group read', async () => {
    const root = await newFolder();
    const { objectKey } = await (await FileBlobStore.open(root)).write(once('mine'), { maxBytes: 10 });
    expect((await stat(pathOf(root, objectKey))).mode & 0o007).toBe(0);
    expect((await stat(join(root, 'objects'))).mode & 0o007).toBe(0);
  });

  it('makes the file that one process wrote the object, and reads again what several wrote', async () => {
    const root = await newFolder();
    const [store, other] = [await FileBlobStore.open(root), await FileBlobStore.open(root)];
    for (const finisher of [store, other]) {
      let upload = await store.begin('sha256');
      for (const text of ['one ', 'after ', 'another']) ({ upload } = await store.append(upload, once(text), 100));
      const [name = ''] = await readdir(join(root, 'tmp'));
      const written = await stat(join(root, 'tmp', name));
      const blob = await finisher.finish(upload, sha256('one after another'));
      const kept = await stat(pathOf(root, blob.objectKey));
      expect(kept.ino === written.ino).toBe(finisher === store);
    }
  });

  it('goes on with no upload whose state it did not make, and has nothing of it to discard', async () => {
    const store = await FileBlobStore.open(await newFolder());
    for (const pieces of [undefined, 'all', [{ key: '../objects/a', size: 1 }], [{ key: 'a'.repeat(26) }], [null]]) {
      const upload = { size: 1, algorithm: 'sha256' as const, state: { pieces } };
      await expect(store.append(upload, once('x'), 100)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await expect(store.finish(upload, sha256('x'))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
      await store.discard(upload);
    }
  });

  it('removes half-written files of dead processes when it opens, and leaves those being written', async () => {
    const root = await newFolder();
    await FileBlobStore.open(root);
    for (const name of ['old', 'new']) await writeFile(join(root, 'tmp', name), 'half');
    const long = Date.now() / 1000 - 48 * 60 * 60 - 60;
    await utimes(join(root, 'tmp', 'old'), long, long);
    await FileBlobStore.open(root);
    expect(await readdir(join(root, 'tmp'))).toEqual(['new']);
  });

  it.each(['../../etc/passwd', '', 'a/b', 'A'.repeat(26), `${'a'.repeat(25)}/`])('takes %j for no key of its own', async objectKey => {
    const store = await FileBlobStore.open(await newFolder());
    const blob = { digest: `sha256:${'0'.repeat(64)}` as const, size: 1, objectKey };
    await expect(store.read(blob)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    await expect(store.remove(objectKey)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });

  it('is not ready without its folder', async () => {
    const root = await newFolder();
    const store = await FileBlobStore.open(root);
    await rm(join(root, 'tmp'), { recursive: true });
    await expect(store.check()).rejects.toThrow('ENOENT');
  });
});

const STRACE = ['/usr/bin', '/usr/local/bin'].map(folder => join(folder, 'strace')).find(existsSync);

/** How a blob may come to be. */
const WAYS = {
  'a write': 'store.write(source(), { maxBytes: 100 })',
  'bytes in memory': "store.writeBytes(Buffer.from('durable'))",
  'the finish of an upload': `store.begin('sha256')
        .then(upload => store.append(upload, source(), 100))
        .then(({ upload }) => store.finish(upload, '${sha256('durable')}'))`,
};

describe('FileBlobStore and stable storage', () => {
  const itTraced = STRACE ? it : it.skip;

  itTraced.each(['a write', 'the finish of an upload'] as const)(
    'has synced the bytes, then the name, when %s resolves (needs strace)',
    async way => {
      const root = await newFolder();
      const log = join(root, 'trace');
      const trace = ['-f', '-y', '-s', '200', '-o', log, '-e', 'trace=write,pwrite64,fsync,fdatasync,rename'];
      const code = await run(STRACE ?? '', [...trace, ...writerIn(root, way)]);
      expect(code).toBe(0);
      const calls = callsIn(await readFile(log, 'utf8'));
      const key = /resolved ([0-9a-z]{26})/.exec(calls.join('\n'))?.[1] ?? 'none';
      const shard = join(root, 'objects', key.slice(-1));
      const order = [
        `pwrite64(${join(root, 'tmp', key)}`,
        `fdatasync(${join(root, 'tmp', key)}`,
        `rename("${join(root, 'tmp', key)}", "${join(shard, key)}"`,
        `fsync(${shard}`,
        `resolved ${key}`,
      ];
      const found = order.map(part => calls.findLastIndex(call => call.includes(part)));
      expect(found).not.toContain(-1);
      expect(found).toEqual(found.toSorted((a, b) => a - b));
    },
    30_000,
  );

  itTraced(
    'has synced bytes that were in memory, and their name, when their write resolves (needs strace)',
    async () => {
      const root = await newFolder();
      const log = join(root, 'trace');
      const trace = ['-f', '-y', '-s', '200', '-o', log, '-e', 'trace=openat,write,pwrite64,fsync'];
      expect(await run(STRACE ?? '', [...trace, ...writerIn(root, 'bytes in memory')])).toBe(0);
      const calls = callsIn(await readFile(log, 'utf8'));
      const key = /resolved ([0-9a-z]{26})/.exec(calls.join('\n'))?.[1] ?? 'none';
      const path = join(root, 'objects', key.slice(-1), key);
      const at = (part: string) => calls.findLastIndex(call => call.includes(part));
      const [opened, written, named, resolved] = [`"${path}"`, `pwrite64(${path}`, `fsync(${dirname(path)}`, `resolved ${key}`].map(at);
      expect(calls[opened ?? -1]).toMatch(/O_WRONLY\|O_CREAT\|O_EXCL\|O_DSYNC/);
      for (const before of [written ?? -1, named ?? -1]) {
        expect(before).toBeGreaterThan(opened ?? -1);
        expect(before).toBeLessThan(resolved ?? -1);
      }
    },
    30_000,
  );

  itTraced.each(['pwrite64:error=ENOSPC', 'pwrite64:error=EIO', 'fsync:error=EIO:when=3'])(
    'keeps nothing of bytes in memory whose write fails at %s (needs strace)',
    async fault => {
      const root = await newFolder();
      const inject = [
        '-f',
        '-qq',
        '-E',
        'UV_THREADPOOL_SIZE=1',
        '-o',
        '/dev/null',
        '-e',
        `trace=${fault.split(':')[0]}`,
        '-e',
        `inject=${fault}`,
      ];
      expect(await run(STRACE ?? '', [...inject, ...writerIn(root, 'bytes in memory')])).toBe(3);
      const left = await readdir(root, { recursive: true, withFileTypes: true });
      expect(left.filter(entry => entry.isFile()).map(entry => entry.name)).toEqual([]);
    },
    30_000,
  );

  // Opening syncs two folders; the third fsync is the write's. Calls are counted by thread, so there is only one.
  itTraced.each(
    ['pwrite64:error=ENOSPC', 'fdatasync:error=EIO', 'rename:error=EIO', 'fsync:error=EIO:when=3'].flatMap(fault =>
      [7, 200_000].map(bytes => [fault, bytes] as const),
    ),
  )(
    'keeps nothing of a write that fails at %s, of %d bytes (needs strace)',
    async (fault, bytes) => {
      const root = await newFolder();
      const inject = [
        '-f',
        '-qq',
        '-E',
        'UV_THREADPOOL_SIZE=1',
        '-o',
        '/dev/null',
        '-e',
        `trace=${fault.split(':')[0]}`,
        '-e',
        `inject=${fault}`,
      ];
      // 1 is what a process ends with that nobody has ended.
      expect(await run(STRACE ?? '', [...inject, ...writerIn(root, 'a write', bytes)])).toBe(3);
      const left = await readdir(root, { recursive: true, withFileTypes: true });
      expect(left.filter(entry => entry.isFile()).map(entry => entry.name)).toEqual([]);
    },
    30_000,
  );
});

/** A process that opens a store, writes one blob and says so. */
function writerIn(root: string, way: keyof typeof WAYS = 'a write', bytes = 7): string[] {
  const repository = join(__dirname, '..', '..', '..');
  const script = `
    const { FileBlobStore } = require(${JSON.stringify(join(__dirname, 'file-blob-store.ts'))});
    const source = async function* () { yield Buffer.alloc(${bytes}, 'durable'); };
    FileBlobStore.open(${JSON.stringify(root)})
      .then(store => ${WAYS[way]})
      .then(blob => require('node:fs').writeSync(1, 'resolved ' + blob.objectKey), () => process.exit(3));`;
  return [process.execPath, '--require', join(repository, 'tools', 'testing', 'typescript.cjs'), '--eval', script];
}

function run(command: string, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
      .once('error', reject)
      .once('close', resolve);
  });
}

/** Calls in the order they ended, their descriptors by path: `fsync(/folder) = 0`. */
function callsIn(log: string): string[] {
  const begun = new Map<string, string>();
  const calls: string[] = [];
  for (const line of log.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text.endsWith('<unfinished ...>')) begun.set(thread, text);
    else calls.push(text.startsWith('<...') ? `${begun.get(thread)} ${text}` : text);
  }
  return calls.map(call => call.replace(/\(\d+<([^>]*)>/, '($1'));
}
