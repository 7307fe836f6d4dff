import { createHash, timingSafeEqual } from 'node:crypto';
import type { Digest } from '@packs/domain';

export const HASHES = ['sha256', 'sha384', 'sha512'] as const;
export type HashName = (typeof HASHES)[number];

/** An artifact that a signature may be about: its digest, and what else is known of its bytes. */
export interface ArtifactSubject {
  readonly digest: Digest;
  /** Shown by the caller to be of that digest; absent where they are not at hand. */
  readonly bytes?: Uint8Array;
  /**
   * Made by the caller of the very bytes of that digest, where those are too many to be held; `unknown`: nobody will make them, so that what a
   * statement names them by beside the SHA-256 is not compared.
   */
  readonly hashes?: ArtifactHashes | 'unknown';
  /** A pack's bundle is no image: simple signing, which speaks of images, is never about it. Absent: whatever its digest names. */
  readonly kind?: 'bundle';
}

/** In hex. */
export type ArtifactHashes = Readonly<Record<Exclude<HashName, 'sha256'>, string>>;

/** What a document says that the hash of an artifact is. */
export interface ClaimedDigest {
  readonly hash: HashName;
  readonly value: Buffer;
}

const made = new WeakMap<Uint8Array, Map<HashName, Buffer>>();

/** Undefined where it cannot be known without the bytes. */
export function digestOf({ digest, bytes, hashes }: ArtifactSubject, hash: HashName): Buffer | undefined {
  if (hash === 'sha256') return Buffer.from(digest.slice('sha256:'.length), 'hex');
  if (hashes && hashes !== 'unknown') return Buffer.from(hashes[hash], 'hex');
  return bytes && hashed(bytes, hash);
}

/** Made once for each artifact, however many subjects and claims it is compared with. */
function hashed(bytes: Uint8Array, hash: HashName): Buffer {
  const known = made.get(bytes) ?? new Map<HashName, Buffer>();
  made.set(bytes, known);
  const digest = known.get(hash) ?? createHash(hash).update(bytes).digest();
  known.set(hash, digest);
  return digest;
}

/** Whether a claim is that of one of the subjects; undefined where it cannot be told without the bytes. */
export function isOfAny(claimed: ClaimedDigest, subjects: readonly ArtifactSubject[]): boolean | undefined {
  const told = subjects.map(subject => isOf(claimed, subject));
  return told.includes(true) ? true : told.includes(undefined) ? undefined : false;
}

export function isOf({ hash, value }: ClaimedDigest, subject: ArtifactSubject): boolean | undefined {
  const own = digestOf(subject, hash);
  return own && isEqual(own, value);
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
