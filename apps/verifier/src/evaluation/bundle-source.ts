import { createHash } from 'node:crypto';
import type { BlobRef, BlobStore } from '@packs/ports';

/** Bundles up to this size are read from the store once; larger ones are streamed anew for every check. */
const KEEP_BYTES = 4 * 1024 * 1024;

/** The bytes of one stored bundle, as often as a check needs them. */
export class BundleSource {
  private kept: Buffer | undefined;

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
