import { createHash } from 'node:crypto';
import { DomainError } from '@packs/domain';
import type { BlobRef, BlobStore } from '@packs/ports';
import type { ArtifactHashes } from '@packs/sigstore';

/** Bundles up to this size are read from the store once; larger ones are streamed anew for every check. */
const KEEP_BYTES = 4 * 1024 * 1024;

/** The bytes of one stored bundle, as often as a check needs them. */
export class BundleSource {
  private kept: Buffer | undefined;
  private made: Promise<ArtifactHashes> | undefined;

  constructor(
    private readonly blobs: BlobStore,
    private readonly ref: BlobRef,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether the stored bytes are those of the digest. */
  async isProven(): Promise<boolean> {
    const hash = createHash('sha256');
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.stored()) {
      size += chunk.length;
      if (size > this.ref.size) return false;
      hash.update(chunk);
      if (this.ref.size <= KEEP_BYTES) parts.push(chunk);
    }
    if (size !== this.ref.size || `sha256:${hash.digest('hex')}` !== this.ref.digest) {
      this.blobs.damaged(this.ref);
      return false;
    }
    if (size <= KEEP_BYTES) this.kept = Buffer.concat(parts);
    return true;
  }

  /** The bytes that have been proven and are at hand; undefined for large bundles. */
  get held(): Uint8Array | undefined {
    return this.kept;
  }

  /**
   * What else the bytes of the digest hash to, proven as they are read again: for bundles too large to be held.
   * @throws DomainError ERR_PACK_CORRUPT
   */
  hashes(): Promise<ArtifactHashes> {
    return (this.made ??= this.hash());
  }

  private async hash(): Promise<ArtifactHashes> {
    const [sha256, sha384, sha512] = ['sha256', 'sha384', 'sha512'].map(name => createHash(name));
    for await (const chunk of this.bytes()) for (const hash of [sha256, sha384, sha512]) hash?.update(chunk);
    if (!sha256 || !sha384 || !sha512 || `sha256:${sha256.digest('hex')}` !== this.ref.digest) {
      this.blobs.damaged(this.ref);
      throw new DomainError('ERR_PACK_CORRUPT', `the bytes read are not those of ${this.ref.digest}`, { retry: 'later' });
    }
    return { sha384: sha384.digest('hex'), sha512: sha512.digest('hex') };
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    if (this.kept) yield this.kept;
    else yield* this.stored();
  }

  private async *stored(): AsyncIterable<Uint8Array> {
    for await (const chunk of this.blobs.read(this.ref)) {
      this.signal.throwIfAborted();
      yield chunk;
    }
  }
}
