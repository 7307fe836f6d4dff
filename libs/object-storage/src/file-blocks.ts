import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '@packs/ports';
import type { BlockPool, LentBlock } from './block-pool';
import type { RunningProof } from './running-proof';
import { takeAll, type Taken } from './take-all';
import { ownTurn } from './take-turns';

/** Where the bytes go. */
export interface WritePlan {
  /** Of the first byte in the file. */
  readonly position: number;
  /** The most that the source may give. */
  readonly maxBytes: number;
  readonly proof?: RunningProof | undefined;
  /** Where the memory comes from. */
  readonly pool: BlockPool;
}

/** Up to so many bytes are gathered in memory of their own. */
const SMALL_BYTES = 64 * 1024;

/**
 * Writes all that a source gives, block by block.
 * @throws DomainError ERR_PACK_TOO_LARGE
 */
export async function writeBlocks(handle: FileHandle, source: ByteSource, plan: WritePlan): Promise<Taken> {
  const writer = new BlockWriter(handle, plan);
  try {
    const taken = await takeAll(source, plan.maxBytes, chunk => writer.take(chunk));
    await writer.flush();
    return taken;
  } finally {
    await writer.close();
  }
}

/** Fills a block and writes it. It has one only while there are bytes in it. */
class BlockWriter {
  private block: LentBlock | undefined;
  private filled = 0;
  private position: number;
  /** The last write, of a block that is given back when it has ended. */
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;

  constructor(
    private readonly handle: FileHandle,
    private readonly plan: WritePlan,
  ) {
    this.position = plan.position;
  }

  /** @returns a promise when more cannot be taken at once */
  take(chunk: Uint8Array): Promise<void> | undefined {
    if (this.block && chunk.length < this.block.bytes.length - this.filled) {
      this.fill(this.block, chunk);
      return undefined;
    }
    return this.takeByBlocks(chunk);
  }

  /** Writes what the block has. */
  async flush(): Promise<void> {
    await this.writing;
    if (this.block) await this.startWriting(this.block);
  }

  /** Nothing is under way any more, and no block held. */
  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    this.block?.release();
    this.block = undefined;
  }

  private async takeByBlocks(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) {
      await this.writing;
      this.block ??= await this.lend();
      rest = this.fill(this.block, rest);
      if (this.filled === this.block.bytes.length) await this.startWriting(this.block);
    }
  }

  /** @returns what did not fit */
  private fill({ bytes }: LentBlock, chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, bytes.length - this.filled);
    bytes.set(part, this.filled);
    this.filled += part.length;
    return chunk.subarray(part.length);
  }

  private lend(): Promise<LentBlock> | LentBlock {
    const { pool, maxBytes } = this.plan;
    if (maxBytes <= SMALL_BYTES) return { bytes: Buffer.allocUnsafe(maxBytes), release: () => undefined };
    return pool.lend(() => this.giveUp());
  }

  /** Others wait for memory while this source pauses: what it gave so far is written now. */
  private giveUp(): void {
    // Its failure is that of the next chunk.
    if (this.block && !this.isWriting) this.startWriting(this.block).catch(() => undefined);
  }

  private startWriting(block: LentBlock): Promise<void> {
    const bytes = block.bytes.subarray(0, this.filled);
    const { position } = this;
    this.block = undefined;
    this.filled = 0;
    this.position += bytes.length;
    this.isWriting = true;
    this.writing = this.write(bytes, position).finally(() => {
      this.isWriting = false;
      block.release();
    });
    return this.writing;
  }

  /** The hash is computed while the write is in flight. */
  private async write(bytes: Uint8Array, position: number): Promise<void> {
    const writing = writeAll(this.handle, bytes, position);
    // It may fail while the turn is waited for; who waits for it below is told.
    writing.catch(() => undefined);
    try {
      if (this.plan.proof && bytes.length > SMALL_BYTES) await ownTurn();
      this.plan.proof?.add(bytes);
    } finally {
      await writing;
    }
  }
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Fills `block` from the file. False: the file ends before. */
export async function readBlock(handle: FileHandle, offset: number, block: Buffer): Promise<boolean> {
  for (let done = 0; done < block.length;) {
    const { bytesRead } = await handle.read(block, done, block.length - done, offset + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}
