import type { IncomingMessage } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DomainError, type ErrorCode } from '@packs/domain';

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'ERR_PACK_AUTHENTICATION',
  403: 'ERR_PACK_SCOPE',
  404: 'ERR_PACK_NOT_FOUND',
  413: 'ERR_PACK_TOO_LARGE',
  416: 'ERR_PACK_RANGE',
  429: 'ERR_PACK_LIMIT',
};

/** How long the rest of a refused upload is read before its connection is cut. */
const LINGER_MS = 5_000;

/** An upload that was refused half-way: a connection closed while the client still sends would take the answer with it. */
export function throwAwayRest(request: IncomingMessage): void {
  const cut = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(cut)).resume();
}

/** What was thrown, in the product's own terms; what nobody foresaw is ERR_PACK_INTERNAL. */
export function toDomainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  if (status === 404) return new DomainError('ERR_PACK_NOT_FOUND', 'no such route');
  if (status >= 400 && status < 500) {
    return new DomainError(
      CODE_OF_STATUS[status] ?? 'ERR_PACK_REQUEST_INVALID',
      thrown instanceof Error ? thrown.message : 'the request is not valid',
    );
  }
  return new DomainError('ERR_PACK_INTERNAL', 'internal error', { cause: thrown });
}

/** What may be told of it: of what nobody foresaw, only where to look. */
export function messageOf(error: DomainError, requestId: string): string {
  return error.code === 'ERR_PACK_INTERNAL' ? `internal error; the log names it ${requestId}` : error.message;
}

/** Errors of the HTTP server itself carry their status. */
function statusOf(thrown: unknown): number {
  return typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
}
