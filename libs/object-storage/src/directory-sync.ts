import { open } from 'node:fs/promises';

/**
 * Makes renames durable. Callers that arrive while a directory's fsync is under way share the next one: each is answered by an
 * fsync that began after its own rename.
 */
export class DirectorySync {
  private readonly running = new Map<string, Promise<void>>();
  private readonly queued = new Map<string, Promise<void>>();

  sync(directory: string): Promise<void> {
    const current = this.running.get(directory);
    if (!current) return this.start(directory);
    let next = this.queued.get(directory);
    if (!next) {
      next = current
        .catch(() => undefined)
        .then(() => {
          this.queued.delete(directory);
          return this.start(directory);
        });
      this.queued.set(directory, next);
    }
    return next;
  }

  private start(directory: string): Promise<void> {
    const work = fsyncDirectory(directory).finally(() => {
      if (this.running.get(directory) === work) this.running.delete(directory);
    });
    this.running.set(directory, work);
    return work;
  }
}

async function fsyncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
