import { crc32 } from 'node:zlib';

/** Bytes that one checksum covers. */
export const BLOCK_BYTES = 1024 * 1024;

/** One big-endian CRC-32 per block, as they are recorded with a blob. */
export class BlockChecksums {
  private constructor(private readonly sums: Buffer) {}

  static decode(base64: string): BlockChecksums {
    return new BlockChecksums(Buffer.from(base64, 'base64'));
  }

  matches(index: number, block: Uint8Array): boolean {
    return this.sums.length >= (index + 1) * 4 && this.sums.readUInt32BE(index * 4) === crc32(block);
  }
}

export function encodeChecksums(blocks: readonly number[]): string {
  const sums = Buffer.alloc(blocks.length * 4);
  blocks.forEach((sum, index) => sums.writeUInt32BE(sum, index * 4));
  return sums.toString('base64');
}
