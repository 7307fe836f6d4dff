import { createHash, randomBytes, type Hash } from 'node:crypto';
import { EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';

export interface Blob {
  readonly parts: readonly Buffer[];
  readonly size: number;
  readonly digest: Digest;
}

export interface Manifest {
  readonly body: Buffer;
  readonly digest: Digest;
}

const TAIL_BYTES = 32;
const LAYER_TYPE = 'application/vnd.example.bench.layer';
const bases = new Map<number, { readonly bytes: Buffer; readonly hash: Hash }>();

export const EMPTY_BLOB: Blob = { parts: [EMPTY_JSON], size: EMPTY_JSON.length, digest: sha256(EMPTY_JSON) };

/** Bytes nobody has sent before: those of all blobs of a size but for their end, so that neither making nor hashing them costs much. */
export function newBlob(size: number): Blob {
  const base = bases.get(size) ?? baseOf(size);
  bases.set(size, base);
  const tail = randomBytes(size - base.bytes.length);
  return { parts: [base.bytes, tail], size, digest: `sha256:${base.hash.copy().update(tail).digest('hex')}` };
}

export function absentDigest(): Digest {
  return sha256(randomBytes(16));
}

/** A manifest over one layer; `note` makes it one of its own. */
export function manifestOver(layer: Blob, note: string, subject?: Manifest): Manifest {
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: 'application/vnd.example.bench',
      config: { mediaType: MEDIA_TYPES.ociEmpty, digest: EMPTY_BLOB.digest, size: EMPTY_BLOB.size },
      layers: [{ mediaType: LAYER_TYPE, digest: layer.digest, size: layer.size }],
      ...(subject && { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: subject.digest, size: subject.body.length } }),
      annotations: { note },
    }),
  );
  return { body, digest: sha256(body) };
}

/** Bytes `from` to `to`, the latter not included. */
export function slice({ parts }: Blob, from: number, to: number): Buffer[] {
  const found: Buffer[] = [];
  let offset = 0;
  for (const part of parts) {
    const piece = part.subarray(Math.max(0, from - offset), Math.max(0, to - offset));
    if (piece.length > 0) found.push(piece);
    offset += part.length;
  }
  return found;
}

function baseOf(size: number): { readonly bytes: Buffer; readonly hash: Hash } {
  const bytes = randomBytes(Math.max(0, size - TAIL_BYTES));
  return { bytes, hash: createHash('sha256').update(bytes) };
}
