import { open, type FileHandle } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { DomainError, type Digest } from '@packs/domain';
import type { BlobRef, ByteRange, StoredBlob } from '@packs/ports';
import { BLOCK_BYTES, BlockChecksums } from './block-checksums';
import { readBlock } from './file-blocks';

/** The blocks of one stored file, each checked as a whole. */
export class FileBlocks {
  private readonly checksums: BlockChecksums | undefined;

  constructor(
    private readonly handle: FileHandle,
    private readonly blob: BlobRef & Partial<StoredBlob>,
  ) {
    this.checksums = blob.blockChecksums === undefined ? undefined : BlockChecksums.decode(blob.blockChecksums);
  }

  /** Bytes of a block: the last may be shorter. */
  sizeOf(index: number): number {
    return Math.min(BLOCK_BYTES, this.blob.size - index * BLOCK_BYTES);
  }

  /**
   * @param memory of the block's size
   * @returns what of the block is in the range
   * @throws DomainError ERR_PACK_CORRUPT
   */
  async read(index: number, range: ByteRange, memory: Buffer): Promise<Uint8Array> {
    const offset = index * BLOCK_BYTES;
    const isWhole = await readBlock(this.handle, offset, memory);
    if (!isWhole || (this.checksums && !this.checksums.matches(index, memory))) throw corrupt(this.blob.digest);
    return memory.subarray(Math.max(0, range.start - offset), Math.min(memory.length, range.end + 1 - offset));
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The blocks in which a range lies. */
export function* indexesOf({ start, end }: ByteRange): Generator<number> {
  for (let index = Math.floor(start / BLOCK_BYTES); index * BLOCK_BYTES <= end; index++) yield index;
}

/** @throws DomainError ERR_PACK_CORRUPT when it is not there or not of its size; ERR_PACK_UNAVAILABLE */
export async function openBlocks(path: string, blob: BlobRef & Partial<StoredBlob>): Promise<FileBlocks> {
  const handle = await openFile(path, blob);
  try {
    const { size } = await handle.stat();
    if (size !== blob.size) throw corrupt(blob.digest);
    return new FileBlocks(handle, blob);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws DomainError ERR_PACK_CORRUPT when it is not there; ERR_PACK_UNAVAILABLE */
export function openFile(path: string, blob: BlobRef): Promise<FileHandle> {
  return open(path, 'r').catch((cause: unknown) => {
    if (isNativeError(cause) && 'code' in cause && cause.code === 'ENOENT') throw corrupt(blob.digest, cause);
    // Too many open files, no permission: that says nothing of the bytes.
    throw new DomainError('ERR_PACK_UNAVAILABLE', `${blob.digest} cannot be opened now`, { retry: 'later', cause });
  });
}

export function corrupt(digest: Digest, cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`, { details: { digest }, cause });
}
