import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppendedUpload, ByteSource, PartialUpload } from '@packs/ports';
import { LRUCache } from 'lru-cache';
import { ulid } from 'ulid';
import { BLOCK_BYTES } from './block-checksums';
import type { BlockPool } from './block-pool';
import { readBlock, writeBlocks } from './file-blocks';
import { lostUpload } from './lost-upload';
import { RunningProof } from './running-proof';
import type { Taken } from './take-all';

/** A file with the next bytes of an upload. What lies in it beyond `size` was never reported. */
export interface UploadPiece {
  readonly key: string;
  readonly size: number;
}

/** A file that this process alone writes to, and what it knows of the upload when all of it lies in that file. */
interface OwnPiece {
  readonly piece: UploadPiece;
  readonly proof: RunningProof | undefined;
}

const KEY = /^[0-9a-z]{26}$/;
/** Uploads whose running hash is kept. One that falls out costs a reading of its bytes. */
const MAX_OWN = 1000;

/**
 * Uploads as files in one folder that several processes share. A process goes on only in a file that it began itself and that no other
 * call holds; else it begins another. So no late writer can touch bytes that were reported: they are in a file that is not its own.
 */
export class UploadFiles {
  private readonly own = new LRUCache<string, OwnPiece>({ max: MAX_OWN });

  constructor(
    private readonly folder: string,
    private readonly pool: BlockPool,
  ) {}

  async append(upload: PartialUpload, source: ByteSource, maxBytes: number): Promise<AppendedUpload> {
    const pieces = piecesOf(upload);
    await this.expectPresent(pieces);
    const last = this.takeOwn(pieces);
    const proof = last ? last.proof : upload.size === 0 ? new RunningProof(upload.algorithm) : undefined;
    const piece = last?.piece ?? { key: ulid().toLowerCase(), size: 0 };
    const taken = await this.write(piece, source, maxBytes - upload.size, proof);
    const grown = { key: piece.key, size: piece.size + taken.bytes };
    if (grown.size > 0) this.own.set(grown.key, { piece: grown, proof });
    return {
      upload: {
        size: upload.size + taken.bytes,
        algorithm: upload.algorithm,
        state: { pieces: [...(last ? pieces.slice(0, -1) : pieces), ...(grown.size > 0 ? [grown] : [])] },
      },
      ...(taken.interrupted && { interrupted: taken.interrupted.cause }),
    };
  }

  /** The one file that holds the whole upload, with its proof; no longer this object's. Undefined when the bytes must be read instead. */
  async claim(upload: PartialUpload): Promise<{ key: string; proof: RunningProof } | undefined> {
    const pieces = piecesOf(upload);
    await this.expectPresent(pieces);
    const last = this.takeOwn(pieces);
    return pieces.length === 1 && last?.proof ? { key: last.piece.key, proof: last.proof } : undefined;
  }

  async *read(upload: PartialUpload): AsyncGenerator<Uint8Array> {
    for (const piece of piecesOf(upload)) {
      const handle = await open(this.pathOf(piece), 'r').catch((cause: unknown) => {
        throw lostUpload(cause);
      });
      try {
        for (let offset = 0; offset < piece.size; offset += BLOCK_BYTES) {
          const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, piece.size - offset));
          if (!(await readBlock(handle, offset, block))) throw lostUpload();
          yield block;
        }
      } finally {
        await handle.close();
      }
    }
  }

  async discard(upload: PartialUpload): Promise<void> {
    for (const piece of knownPieces(upload) ?? []) {
      this.own.delete(piece.key);
      await rm(this.pathOf(piece), { force: true });
    }
  }

  private async write(piece: UploadPiece, source: ByteSource, maxBytes: number, proof?: RunningProof): Promise<Taken> {
    const begun = piece.size === 0;
    const handle = await open(this.pathOf(piece), begun ? 'wx' : 'r+', 0o640);
    let bytes = 0;
    try {
      const taken = await writeBlocks(handle, source, { position: piece.size, maxBytes, proof, pool: this.pool });
      bytes = taken.bytes;
      return taken;
    } finally {
      await handle.close();
      if (begun && bytes === 0) await rm(this.pathOf(piece), { force: true });
    }
  }

  /** Until it is put back nobody else gets it. */
  private takeOwn(pieces: readonly UploadPiece[]): OwnPiece | undefined {
    const last = pieces.at(-1);
    const own = last && this.own.get(last.key);
    if (!own || own.piece.size !== last.size) return undefined;
    this.own.delete(last.key);
    return own;
  }

  private async expectPresent(pieces: readonly UploadPiece[]): Promise<void> {
    for (const piece of pieces) {
      const found = await stat(this.pathOf(piece)).catch(lostUnlessFailing);
      if (found.size < piece.size) throw lostUpload();
    }
  }

  private pathOf(piece: UploadPiece): string {
    return join(this.folder, piece.key);
  }
}

function piecesOf(upload: PartialUpload): readonly UploadPiece[] {
  const pieces = knownPieces(upload);
  if (!pieces) throw lostUpload();
  return pieces;
}

/** Undefined when another kind of store began the upload. */
function knownPieces({ state: { pieces } }: PartialUpload): readonly UploadPiece[] | undefined {
  return Array.isArray(pieces) && pieces.every(isPiece) ? pieces : undefined;
}

function isPiece(value: unknown): value is UploadPiece {
  const { key, size } = (value ?? {}) as Partial<UploadPiece>;
  return typeof key === 'string' && KEY.test(key) && Number.isSafeInteger(size);
}

function lostUnlessFailing(cause: NodeJS.ErrnoException): never {
  throw cause.code === 'ENOENT' ? lostUpload(cause) : cause;
}
