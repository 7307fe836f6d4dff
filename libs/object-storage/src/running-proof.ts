import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { DomainError, type Digest, type DigestAlgorithm } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import { BLOCK_BYTES, encodeChecksums } from './block-checksums';

/** What can be said of bytes that come one after another: digest, size and the checksum of each block. */
export class RunningProof {
  private bytes = 0;
  private readonly hash: Hash;
  private readonly checksums: number[] = [];
  /** Of the block that is not yet full. */
  private checksum = 0;

  constructor(readonly algorithm: DigestAlgorithm) {
    this.hash = createHash(algorithm);
  }

  get size(): number {
    return this.bytes;
  }

  add(bytes: Uint8Array): void {
    this.hash.update(bytes);
    for (let taken = 0; taken < bytes.length;) {
      const filled = this.bytes % BLOCK_BYTES;
      const part = bytes.subarray(taken, taken + BLOCK_BYTES - filled);
      this.checksum = crc32(part, filled === 0 ? 0 : this.checksum);
      taken += part.length;
      this.bytes += part.length;
      if (this.bytes % BLOCK_BYTES === 0) this.checksums.push(this.checksum);
    }
  }

  /**
   * Ends the proof: nothing can be added any more.
   * @throws DomainError ERR_PACK_DIGEST_MISMATCH
   */
  conclude(declared?: Digest): Omit<StoredBlob, 'objectKey'> {
    const digest: Digest = `${this.algorithm}:${this.hash.digest('hex')}`;
    if (declared !== undefined && digest !== declared) throw mismatch(declared, digest);
    const checksums = this.bytes % BLOCK_BYTES === 0 ? this.checksums : [...this.checksums, this.checksum];
    return { digest, size: this.bytes, blockChecksums: encodeChecksums(checksums) };
  }
}

function mismatch(declared: Digest, found: Digest): DomainError {
  return new DomainError('ERR_PACK_DIGEST_MISMATCH', `the bytes hash to ${found}, not to the declared ${declared}`, {
    details: { declared, found },
    errors: [{ field: 'digest', message: `the bytes hash to ${found}` }],
  });
}
