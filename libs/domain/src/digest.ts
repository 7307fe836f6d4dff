import { createHash, type BinaryLike } from 'node:crypto';
import { DomainError } from './domain-error';

/** `sha256:<64 lower-case hex>`: a content address as OCI image-spec "Digests" writes it. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

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

/** The bare hex of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
