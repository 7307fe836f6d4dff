import { createHash, type BinaryLike } from 'node:crypto';
import { DomainError } from './domain-error';

/**
 * `<algorithm>:<lower-case hex>`: a content address as OCI image-spec "Digests" writes it. All of a pack is addressed by sha256;
 * other OCI content may be by sha512.
 */
export type Digest = `${DigestAlgorithm}:${string}`;

/** The algorithms that image-spec registers, and thereby all that are served. */
export const DIGEST_ALGORITHMS = ['sha256', 'sha512'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const CONTENT_DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** @throws DomainError ERR_PACK_DIGEST_INVALID naming `field` */
export function parseDigest(text: string, field = 'digest'): Digest {
  if (isDigest(text)) return text;
  throw new DomainError('ERR_PACK_DIGEST_INVALID', `${field} must be sha256: followed by 64 lower-case hex digits`, {
    errors: [{ field, message: 'not a sha256 digest' }],
  });
}

export function sha256(bytes: BinaryLike): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The digest of `bytes` by an algorithm that is served. */
export function contentDigest(bytes: BinaryLike, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Whether `text` addresses content by an algorithm that is served. */
export function isContentDigest(text: unknown): text is Digest {
  return typeof text === 'string' && CONTENT_DIGEST.test(text);
}

/** @throws DomainError ERR_PACK_DIGEST_INVALID naming `field` */
export function parseContentDigest(text: string, field = 'digest'): Digest {
  if (isContentDigest(text)) return text;
  throw new DomainError('ERR_PACK_DIGEST_INVALID', `${field} must be sha256: or sha512: followed by its lower-case hex digits`, {
    errors: [{ field, message: 'not a sha256 or sha512 digest' }],
  });
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The bare hex of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
