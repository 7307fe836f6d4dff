import type { IncomingMessage } from 'node:http';
import {
  DIGEST_ALGORITHMS,
  digestAlgorithm,
  DomainError,
  parseContentDigest,
  parseRepositoryName,
  type Digest,
  type DigestAlgorithm,
  type RepositoryName,
} from '@packs/domain';

/** What a POST asks for (distribution-spec "Pushing blobs", "Mounting a blob from another repository"). */
export interface StartRequest {
  readonly algorithm: DigestAlgorithm;
  /** The body is the whole blob. */
  readonly digest: Digest | undefined;
  readonly mount: { readonly digest: Digest; readonly from: 'anywhere' | RepositoryName | undefined } | undefined;
}

/** @throws DomainError ERR_PACK_DIGEST_INVALID naming the parameter */
export function parseStart(url: string): StartRequest {
  const query = queryOf(url);
  const digest = optional(query.get('digest'), text => parseContentDigest(text));
  const mounted = optional(query.get('mount'), text => parseContentDigest(text, 'mount'));
  const named = optional(query.get('digest-algorithm'), parseAlgorithm);
  const given = digest ?? mounted;
  return {
    algorithm: named ?? (given ? digestAlgorithm(given) : 'sha256'),
    digest,
    mount: mounted && { digest: mounted, from: parseFrom(query.get('from')) },
  };
}

/** @throws DomainError ERR_PACK_DIGEST_INVALID, also where there is none */
export function parseFinish(url: string): Digest {
  return parseContentDigest(queryOf(url).get('digest') ?? '');
}

/** The repeated parameter `tag` of a manifest's PUT. */
export function tagParameters(url: string): string[] {
  return queryOf(url).getAll('tag');
}

/** Whether anything follows the head of a request (RFC 9112 §6.3). */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Undefined for a body whose length shows only as it ends. */
export function contentLength({ headers }: Pick<IncomingMessage, 'headers'>): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}

/** A body of at most this size is taken into memory. */
const LITTLE_BYTES = 64 * 1024;

export function sendsLittle(request: Pick<IncomingMessage, 'headers'>): boolean {
  return !hasBody(request) || (contentLength(request) ?? Infinity) <= LITTLE_BYTES;
}

/** Whether the body of an upload's end can be all of a small blob, and does not say otherwise. */
export function isWhole(request: Pick<IncomingMessage, 'headers'>): boolean {
  return hasBody(request) && sendsLittle(request) && request.headers['content-range'] === undefined;
}

/** distribution-spec "Pushing a blob in chunks" has `<first>-<last>`; clients that took it for RFC 9110's write `bytes <first>-<last>/<size>`. */
const CONTENT_RANGE = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/;

/**
 * Where a chunk goes on.
 * @returns how many bytes it has; undefined when the request does not say
 * @throws DomainError ERR_OCI_UPLOAD_RANGE when it is not the next one of an upload that has `size` bytes
 */
export function chunkLength({ headers }: Pick<IncomingMessage, 'headers'>, size: number): number | undefined {
  const text = headers['content-range'];
  const length = contentLength({ headers });
  if (text === undefined) return length;
  const match = CONTENT_RANGE.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || last < first) throw outOfRange('must be <first>-<last>', size);
  if (first !== size) throw outOfRange(`must begin at ${size}`, size);
  if (length !== undefined && length !== last - first + 1) throw outOfRange(`is not of the ${length} bytes that follow`, size);
  return last - first + 1;
}

function outOfRange(message: string, size: number): DomainError {
  return new DomainError('ERR_OCI_UPLOAD_RANGE', `Content-Range ${message}`, {
    details: { size },
    errors: [{ field: 'Content-Range', message }],
  });
}

function parseAlgorithm(text: string): DigestAlgorithm {
  const known = DIGEST_ALGORITHMS.find(algorithm => algorithm === text);
  if (known) return known;
  throw new DomainError('ERR_PACK_DIGEST_INVALID', `digest-algorithm must be one of ${DIGEST_ALGORITHMS.join(', ')}`, {
    errors: [{ field: 'digest-algorithm', message: 'is not served' }],
  });
}

/** A name that no repository can have is one that nothing is mounted from. */
function parseFrom(text: string | null): 'anywhere' | RepositoryName | undefined {
  if (text === null) return 'anywhere';
  try {
    return parseRepositoryName(text);
  } catch {
    return undefined;
  }
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

function optional<T>(text: string | null, parse: (text: string) => T): T | undefined {
  return text === null ? undefined : parse(text);
}
