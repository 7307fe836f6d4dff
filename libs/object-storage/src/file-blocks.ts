import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES } from './block-checksums';
import type { RunningProof } from './running-proof';
import { takeAll, type Taken } from './take-all';

/** Where the bytes go. */
export interface WritePlan {
  /** Of the first byte in the file. */
  readonly position: number;
  /** The most that the source may give. */
  readonly maxBytes: number;
  readonly proof?: RunningProof | undefined;
}

/**
 * Writes all that a source gives, block by block.
 * @throws DomainError ERR_PACK_TOO_LARGE
 */
export async function writeBlocks(handle: FileHandle, source: AsyncIterable<Uint8Array>, plan: WritePlan): Promise<Taken> {
  const writer = new BlockWriter(handle, plan);
  const taken = await takeAll(source, plan.maxBytes, chunk => {
    const rest = writer.fill(chunk);
    return rest.length > 0 ? writer.flushAndFill(rest) : undefined;
  });
  await writer.flush();
  writer.release();
  return taken;
}

/** Blocks of finished writes: making a new one for each small blob is what a collector would be busy with. */
const spareBlocks: Buffer[] = [];
const MAX_SPARE_BLOCKS = 16;

class BlockWriter {
  private readonly block: Buffer;
  private position: number;
  private filled = 0;

  constructor(
    private readonly handle: FileHandle,
    private readonly plan: WritePlan,
  ) {
    this.position = plan.position;
    this.block = plan.maxBytes < BLOCK_BYTES ? Buffer.allocUnsafe(plan.maxBytes) : (spareBlocks.pop() ?? Buffer.allocUnsafe(BLOCK_BYTES));
  }

  /** Takes what fits, and returns the rest, for which the block must be flushed. */
  fill(chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, this.block.length - this.filled);
    this.block.set(part, this.filled);
    this.filled += part.length;
    return chunk.subarray(part.length);
  }

  async flushAndFill(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = this.fill(rest)) await this.flush();
  }

  /** The hash is computed while the write is in flight, so the block may be filled again only after both. */
  async flush(): Promise<void> {
    if (this.filled === 0) return;
    const bytes = this.block.subarray(0, this.filled);
    const writing = writeAll(this.handle, bytes, this.position);
    this.plan.proof?.add(bytes);
    await writing;
    this.position += bytes.length;
    this.filled = 0;
  }

  release(): void {
    if (this.block.length === BLOCK_BYTES && spareBlocks.length < MAX_SPARE_BLOCKS) spareBlocks.push(this.block);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** @returns undefined when the file ends before */
export async function readBlock(handle: FileHandle, offset: number, length: number): Promise<Buffer | undefined> {
  const block = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(block, done, length - done, offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return block;
}
