import { createHash, randomUUID } from 'node:crypto';
import { constants, lstat, mkdir, open, opendir, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError, type Digest } from '@packs/domain';
import type { MirrorObject } from '@packs/ports';
import { onTarget } from './target-faults';

/** Files get their names here; the folder is on the same file system as the names they will have. */
const WORK = '.work';
const READ_BYTES = 1024 * 1024;

/**
 * The files of one mirror. Nothing is followed that is a symbolic link, every file has its name only when it is whole, and names
 * are made durable together.
 */
export class MirrorFolder {
  /** Folders known to be real ones. */
  private readonly checked = new Set<string>();
  private readonly unsynced = new Set<string>();

  /**
   * @param root a real path
   * @param segments names below it, the tenant's first
   */
  constructor(
    private readonly root: string,
    private readonly segments: readonly string[],
  ) {}

  /** As people name it. */
  get location(): string {
    return this.segments.slice(1).join('/');
  }

  /** Makes the folder, below a root that has to be there: one that vanished is not made up for by an empty one. */
  async prepare(): Promise<void> {
    await onTarget(this.location, async () => {
      this.checked.clear();
      await lstat(this.root);
      for (let at = 1; at <= this.segments.length; at++) await this.ensureOne(join(this.root, ...this.segments.slice(0, at)));
      await this.ensure(WORK);
      for (const name of await readdir(this.at(WORK))) await rm(this.at(WORK, name), { force: true, recursive: true });
    });
  }

  /** @throws DomainError ERR_MIRROR_TARGET_INVALID when a folder on the way is a symbolic link */
  async checkPlace(): Promise<void> {
    await onTarget(this.location, async () => {
      for (let at = 1; at <= this.segments.length; at++) {
        const found = await lstat(join(this.root, ...this.segments.slice(0, at))).catch(absent);
        if (found?.isSymbolicLink()) throw leavesRoot(this.location);
      }
    });
  }

  size(path: string): Promise<number | undefined> {
    return onTarget(this.location, async () => {
      const found = await lstat(this.at(path)).catch(absent);
      return found?.isFile() ? found.size : undefined;
    });
  }

  hash(path: string, signal?: AbortSignal): Promise<Digest | undefined> {
    return onTarget<Digest | undefined>(this.location, async () => {
      if ((await this.size(path)) === undefined) return undefined;
      // Who proves bytes by reading them goes on to rely on their name.
      this.unsynced.add(dirname(this.at(path)));
      const hash = createHash('sha256');
      for await (const block of this.read(path)) {
        signal?.throwIfAborted();
        hash.update(block);
      }
      return `sha256:${hash.digest('hex')}`;
    });
  }

  /** Every file but those under work. What is no folder counts as a file, whatever it is. */
  async *files(below = ''): AsyncGenerator<string> {
    const folder = await onTarget(this.location, () => opendir(this.at(below)).catch(absent));
    if (!folder) return;
    for (;;) {
      const entry = await onTarget(this.location, () => folder.read());
      if (!entry) break;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) yield path;
      else if (path !== WORK) yield* this.files(path);
    }
    await folder.close();
  }

  async *read(path: string): AsyncGenerator<Buffer> {
    const handle = await onTarget(this.location, () => open(this.at(path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent));
    if (!handle) throw new DomainError('ERR_MIRROR_CORRUPT', `mirror location ${this.location} has no file ${path}`, { details: { path } });
    try {
      const { size } = await onTarget(this.location, () => handle.stat());
      for (let done = 0; done < size;) {
        const block = Buffer.allocUnsafe(Math.min(READ_BYTES, size - done));
        const { bytesRead } = await onTarget(this.location, () => handle.read(block, 0, block.length, done));
        if (bytesRead === 0) return;
        done += bytesRead;
        yield block.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async write(object: MirrorObject, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const written = await this.writeUnnamed(source, signal, object.size);
    try {
      if (written.digest !== object.digest || written.size !== object.size) {
        throw new DomainError('ERR_PACK_CORRUPT', `the bytes read for ${object.digest} are others`, { details: { digest: object.digest } });
      }
      await written.nameIt(object.path);
    } catch (error) {
      await written.discard();
      throw error;
    }
  }

  /** Writes bytes that have no name yet. At most `maxBytes`; one more is a fault of the source. */
  async writeUnnamed(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal?: AbortSignal,
    maxBytes = Infinity,
  ): Promise<UnnamedFile> {
    const temporary = this.at(WORK, randomUUID());
    const discard = async (): Promise<void> => rm(temporary, { force: true }).catch(() => undefined);
    try {
      const handle = await onTarget(this.location, () => open(temporary, 'wx', 0o640));
      try {
        const { digest, size } = await this.fill(handle, source, maxBytes, signal);
        await onTarget(this.location, () => handle.datasync());
        return { digest, size, discard, nameIt: path => this.nameIt(temporary, path) };
      } finally {
        await handle.close();
      }
    } catch (error) {
      await discard();
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await onTarget(this.location, async () => rm(this.at(path), { force: true }));
  }

  /** Makes every name given so far durable. */
  async flush(): Promise<void> {
    const folders = [...this.unsynced];
    this.unsynced.clear();
    await onTarget(this.location, async () => {
      for (const folder of folders) await syncFolder(folder);
    });
  }

  private async fill(
    handle: FileHandle,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<{ digest: Digest; size: number }> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of source) {
      signal?.throwIfAborted();
      if (size + chunk.length > maxBytes) throw new DomainError('ERR_PACK_CORRUPT', 'the source has more bytes than its descriptor says');
      const writing = onTarget(this.location, () => writeAll(handle, chunk, size));
      hash.update(chunk);
      await writing;
      size += chunk.length;
    }
    return { digest: `sha256:${hash.digest('hex')}`, size };
  }

  private nameIt(temporary: string, path: string): Promise<void> {
    return onTarget(this.location, async () => {
      const folder = await this.ensure(dirname(path));
      await rename(temporary, this.at(path));
      this.unsynced.add(folder);
    });
  }

  private async ensure(path: string): Promise<string> {
    let folder = this.at();
    for (const segment of path === '.' ? [] : path.split('/')) {
      folder = join(folder, segment);
      await this.ensureOne(folder);
    }
    return folder;
  }

  private async ensureOne(folder: string): Promise<void> {
    if (this.checked.has(folder)) return;
    let found = await lstat(folder).catch(absent);
    if (!found) {
      await mkdir(folder, { mode: 0o750 }).catch(unlessThere);
      this.unsynced.add(dirname(folder));
      found = await lstat(folder);
    }
    if (found.isSymbolicLink()) throw leavesRoot(this.location);
    if (!found.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR', syscall: 'mkdir' });
    this.checked.add(folder);
  }

  private at(...path: readonly string[]): string {
    return join(this.root, ...this.segments, ...path);
  }
}

export interface UnnamedFile {
  readonly digest: Digest;
  readonly size: number;
  nameIt(path: string): Promise<void>;
  discard(): Promise<void>;
}

function leavesRoot(location: string): DomainError {
  return new DomainError('ERR_MIRROR_TARGET_INVALID', `mirror location ${location} leads elsewhere by a symbolic link`, {
    errors: [{ field: 'location', message: 'leads elsewhere by a symbolic link' }],
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
