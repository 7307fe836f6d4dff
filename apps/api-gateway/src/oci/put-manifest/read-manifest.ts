import { createHash } from 'node:crypto';
import { digestAlgorithm, DomainError, MANIFEST_MAX_BYTES, type Digest } from '@packs/domain';
import { contentLength } from '../uploads/upload-request';
import { interrupted, RequestBody } from '../uploads/request-body';
import type { IncomingMessage } from 'node:http';

export interface ManifestBytes {
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/**
 * Takes a manifest's bytes as they are.
 * @param declared what they must hash to; its algorithm is used, sha256 without it
 * @throws DomainError ERR_PACK_TOO_LARGE, ERR_PACK_DIGEST_MISMATCH
 */
export async function readManifest(request: IncomingMessage, declared: Digest | undefined): Promise<ManifestBytes> {
  if ((contentLength(request) ?? 0) > MANIFEST_MAX_BYTES) throw tooLarge();
  const bytes = await readAll(new RequestBody(request));
  const algorithm = declared ? digestAlgorithm(declared) : 'sha256';
  const digest: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (declared === undefined || digest === declared) return { bytes, digest };
  throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `the manifest hashes to ${digest}, not to ${declared}`, {
    details: { declared, found: digest },
    errors: [{ field: 'reference', message: `the manifest hashes to ${digest}` }],
  });
}

async function readAll(body: RequestBody): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    await body.upTo(MANIFEST_MAX_BYTES + 1).pour(part => {
      size += part.length;
      parts.push(part);
      return undefined;
    });
  } catch (error) {
    throw interrupted(error);
  }
  if (size > MANIFEST_MAX_BYTES) throw tooLarge();
  return Buffer.concat(parts, size);
}

function tooLarge(): DomainError {
  return new DomainError('ERR_PACK_TOO_LARGE', `a manifest may have ${MANIFEST_MAX_BYTES} bytes`, {
    details: { maxBytes: MANIFEST_MAX_BYTES },
  });
}
